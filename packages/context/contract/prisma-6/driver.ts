/** From the folder of Prisma 6, `@prisma/adapter-pg` is version 6. */
import * as prisma6Driver from '@prisma/adapter-pg';

export { prisma6Driver };
