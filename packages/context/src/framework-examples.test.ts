import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What the examples of an adapter's TSDoc take for granted: imports, and what is the application's own. */
const around: Readonly<Record<string, string>> = {
  express: `import type { Express, Request } from 'express'; declare const app: Express;`,
  fastify: `import type { FastifyInstance, FastifyRequest } from 'fastify'; declare const app: FastifyInstance;`,
  koa: `import Koa from 'koa'; declare const app: Koa;`,
  hono: `import { getConnInfo } from '@hono/node-server/conninfo'; import type { Context, Hono } from 'hono';
    declare const app: Hono;`,
  nest: `import type { ExecutionContext, INestApplication } from '@nestjs/common'; import type express from 'express';
    declare const app: INestApplication; type Request = express.Request & { user?: { id: string } };`,
  trpc: `import { initTRPC } from '@trpc/server'; interface Context { userId: string }
    const t = initTRPC.context<Context>().create();`,
  apollo: `import { ApolloServer, type GraphQLRequestContext } from '@apollo/server';
    interface Context { userId: string } declare const typeDefs: string; declare const resolvers: {};`,
  next: `import type { NextRequest } from 'next/server'; import { bemiActionContext } from '@bemi-db/context/next';
    declare function auth(): Promise<{ user: { id: string } } | null>;
    declare function create(request: NextRequest): Promise<object>; declare const patient: object;
    declare const db: { update(table: object): { set(values: object): Promise<void> } };`,
  job: `interface Job { name: string; id: string; data: { userId: string; patientId: number } }
    declare class Worker { constructor(queue: string, work: (job: Job) => Promise<void>) }
    declare function remind(patientId: number): Promise<void>;`,
};

/** The same for the second and later examples of a page of docs/context/. */
const ofNext = `import { bemiContext } from '@bemi-db/context/next';
  import type { NextApiRequest, NextApiResponse } from 'next'; import type { NextRequest } from 'next/server';
  type RouteContext<_> = { params: Promise<{ id: string }> };
  declare function rename(id: number, name: string): Promise<void>;`;
const aroundLater: Readonly<Record<string, readonly string[]>> = {
  next: [
    '',
    `${ofNext} const withContext = bemiContext((_request: NextRequest) => ({}));`,
    `import { bemiActionContext } from '@bemi-db/context/next';
     declare function rename(id: number, name: string): Promise<void>;
     const withActionContext = bemiActionContext(() => ({}));`,
    ofNext,
  ],
};

/** Modules of the application that the pages import. */
const ofTheApplication: Readonly<Record<string, string>> = {
  'schema.d.ts': 'export const typeDefs: string; export const resolvers: {};',
  'app.module.d.ts': 'export class AppModule {}',
};

it('are right: those in TSDoc and those in docs/context/', { timeout: 120_000 }, () => {
  const files = new Map<string, string>();
  for (const adapter of Object.keys(around)) {
    const folder = `${root}packages/context/${adapter === 'next' ? 'next-application' : 'frameworks'}/`;
    const add = (name: string, text: string) => files.set(`${folder}example-${adapter}-${name}.mts`, text);
    tsdocExamples(adapter).forEach((code, index) => {
      const own = code.includes('withJobContext') ? 'withJobContext' : 'bemiContext';
      const imported = `import { ${own} } from '@bemi-db/context/${adapter}';`;
      add(`tsdoc-${index}`, `${imported}\n${around[adapter]}\n${code}\nexport {};`);
    });
    pageExamples(adapter).forEach((code, index) => {
      add(`page-${index}`, `${aroundLater[adapter]?.[index] ?? ''}\n${code}\nexport {};`);
    });
  }
  expect(files.size).toBe(22);
  for (const [name, text] of Object.entries(ofTheApplication)) {
    files.set(`${root}packages/context/frameworks/${name}`, text);
  }
  expect(mistakesIn(files)).toEqual([]);
});

function tsdocExamples(adapter: string): string[] {
  const source = readFileSync(`${root}packages/context/src/${adapter}.ts`, 'utf8');
  return [...source.matchAll(/@example\n([\s\S]*?)\n \*\//g)].map(([, code]) =>
    code!.replace(/^ \* ?/gm, ''),
  );
}

function pageExamples(adapter: string): string[] {
  const page = readFileSync(`${root}docs/context/${adapter}.md`, 'utf8');
  return [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
}

function mistakesIn(files: ReadonlyMap<string, string>): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: ['node'],
    typeRoots: [`${root}node_modules/@types`],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = files.get(path);
    return text === undefined ? getSourceFile(path, ...rest) : ts.createSourceFile(path, text, rest[0], true);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file === undefined ? '' : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
    return `${file?.fileName.replace(root, '')}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}
