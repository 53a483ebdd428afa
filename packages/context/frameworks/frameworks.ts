import type { FrameworkUnderTest } from './framework-under-test.ts';

/** The applications by name. Each is loaded when its turn comes. */
export const frameworks: Readonly<Record<string, () => Promise<FrameworkUnderTest>>> = {
  'Express 5': async () => (await import('./applications/express.ts')).express5Application,
  'Express 4': async () => (await import('./applications/express.ts')).express4Application,
  'Fastify 5': async () => (await import('./applications/fastify.ts')).fastify5Application,
  'Fastify 4': async () => (await import('./applications/fastify.ts')).fastify4Application,
  Hono: async () => (await import('./applications/hono.ts')).honoApplication,
  Koa: async () => (await import('./applications/koa.ts')).koaApplication,
  tRPC: async () => (await import('./applications/trpc.ts')).trpcApplication,
  NestJS: async () => (await import('./applications/nest.ts')).nestApplication,
  'Apollo Server': async () => (await import('./applications/apollo.ts')).apolloApplication,
  'Next.js route handlers': async () => (await import('./applications/next.ts')).nextRoutesApplication,
  'Next.js server actions': async () => (await import('./applications/next.ts')).nextActionsApplication,
  'Next.js Pages API': async () => (await import('./applications/next.ts')).nextApiApplication,
  'a queue of jobs': async () => (await import('./applications/job.ts')).jobApplication,
};
