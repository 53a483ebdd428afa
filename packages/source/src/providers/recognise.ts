import { awsAurora } from './aws-aurora.ts';
import { awsRds } from './aws-rds.ts';
import { azure } from './azure.ts';
import { digitalOcean } from './digitalocean.ts';
import { docker } from './docker.ts';
import { googleCloudSql } from './google-cloud-sql.ts';
import { homebrew } from './homebrew.ts';
import { neon } from './neon.ts';
import type { Provider, ProviderId } from './provider.ts';
import { render } from './render.ts';
import { selfManaged } from './self-managed.ts';
import { supabase } from './supabase.ts';

const providers: Readonly<Record<ProviderId, Provider>> = {
  'self-managed': selfManaged,
  docker,
  homebrew,
  'aws-rds': awsRds,
  'aws-aurora': awsAurora,
  'google-cloud-sql': googleCloudSql,
  azure,
  supabase,
  neon,
  render,
  digitalocean: digitalOcean,
};

export function providerOf(id: ProviderId): Provider {
  return providers[id];
}

/** A provider's words as a terminal shows them. */
export function plainText(markdown: string): string {
  return markdown.replaceAll(/[`]|\*\*/g, '');
}

/** What a server shows of who runs it. */
export interface ProviderMarks {
  /** Names of its roles, at least those that providers make. */
  readonly roles: readonly string[];
  readonly isAurora: boolean;
  /** `undefined` where this role may not see it. */
  readonly dataDirectory: string | undefined;
  /** The name that it is connected to by. */
  readonly host: string | undefined;
}

// Aurora has all that RDS has.
const inOrder = Object.values(providers).sort(
  (a, b) => Number(b.recognisedBy.isAurora ?? false) - Number(a.recognisedBy.isAurora ?? false),
);

/** Roles that give a provider away. */
export const providerMarkRoles: readonly string[] = inOrder.flatMap(
  ({ recognisedBy }) => recognisedBy.roles ?? [],
);

/** What the server says of itself goes before its name: a host may be a tunnel, or an address. */
export function recogniseProvider(marks: ProviderMarks): ProviderId {
  const found =
    inOrder.find(
      ({ recognisedBy }) =>
        (recognisedBy.isAurora && marks.isAurora) ||
        recognisedBy.roles?.some((role) => marks.roles.includes(role)),
    ) ??
    providerOfHost(marks.host) ??
    inOrder.find(({ recognisedBy }) => recognisedBy.dataDirectory?.test(marks.dataDirectory ?? ''));
  return found?.id ?? 'self-managed';
}

/** By the host's name alone, where nothing has been asked yet. */
export function providerOfHost(host: string | undefined): Provider | undefined {
  return inOrder.find(({ recognisedBy }) => recognisedBy.host?.test(host ?? ''));
}

/** What to do where a URL leads to a pooler, through which nothing is replicated; `undefined` where it doesn't. */
export function poolerFix(target: { readonly host: string; readonly port: number }): string | undefined {
  const pooler = providerOfHost(target.host)?.pooler;
  return pooler?.isPooler(target.host, target.port) ? pooler.fix : undefined;
}
