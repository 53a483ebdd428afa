/**
 * What an application on Prisma needs: the adapter, and the context that its writes carry.
 *
 * @example
 * import { PrismaPg, setBemiContext } from '@bemi-db/prisma';
 *
 * const prisma = new PrismaClient({ adapter: PrismaPg({ connectionString: process.env.DATABASE_URL }) });
 * setBemiContext({ userId: 'u1' });
 */
// biome-ignore lint/performance/noBarrelFile: this package is a second name for what it exports.
export {
  type BemiContext,
  currentBemiContext,
  mergeBemiContext,
  runWithBemiContext,
  setBemiContext,
} from '@bemi-db/context';
export { PrismaPg, type PrismaPgConstructor } from '@bemi-db/context/prisma';
export { type BemiExtensionOptions, withBemiExtension } from '@bemi-db/context/prisma-extension';
