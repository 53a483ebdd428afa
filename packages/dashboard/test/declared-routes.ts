import { type Permission, permissions } from '../src/api/permission.ts';
import type { Dashboard } from '../src/server/create-dashboard.ts';

/** A route as the OpenAPI document has it. */
export interface DeclaredRoute {
  readonly method: string;
  /** With `{names}` of its parameters. */
  readonly path: string;
  readonly permission: Permission | 'public' | undefined;
  readonly isForPersons: boolean;
  readonly hasBody: boolean;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly isText: boolean }[];
}

interface Operation {
  readonly 'x-permission'?: string;
  readonly 'x-principal'?: string;
  readonly requestBody?: object;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: { readonly type?: string; readonly items?: { readonly type?: string } };
  }[];
}

export async function declaredRoutes(dashboard: Dashboard): Promise<DeclaredRoute[]> {
  const document = (await (await dashboard.request('/api/v1/openapi.json')).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      ...{ method: method.toUpperCase(), path },
      permission: knownPermission(operation['x-permission']),
      isForPersons: operation['x-principal'] === 'person',
      hasBody: operation.requestBody !== undefined,
      parameters: (operation.parameters ?? []).map(({ name, in: place, schema }) => ({
        ...{ name, in: place },
        isText: schema.type === 'string' || schema.items?.type === 'string',
      })),
    })),
  );
}

function knownPermission(text: string | undefined): DeclaredRoute['permission'] {
  return text === 'public' ? text : permissions.find((permission) => permission === text);
}

/** Every route that the server answers, whether it is declared or not, as the document writes paths. */
export function answeredRoutes(dashboard: Dashboard): { readonly method: string; readonly path: string }[] {
  return dashboard.routes.map(({ method, path }) => ({
    method,
    path: path.replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}'),
  }));
}

/** The route's address with values in place of its parameters; those that are asked for by `values` alone. */
export function addressOf(
  { path, parameters }: DeclaredRoute,
  values: Readonly<Record<string, string>>,
): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? '1'));
  const query = parameters
    .filter(({ in: place, name }) => place === 'query' && values[name] !== undefined)
    .map(({ name }) => `${name}=${encodeURIComponent(values[name]!)}`);
  return query.length === 0 ? filled : `${filled}?${query.join('&')}`;
}
