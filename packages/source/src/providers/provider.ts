/** Who runs a PostgreSQL server. Each has a module of its own here, and a page in docs/hosting made from it. */
export const providerIds = [
  'self-managed',
  'docker',
  'homebrew',
  'aws-rds',
  'aws-aurora',
  'google-cloud-sql',
  'azure',
  'supabase',
  'neon',
  'render',
  'digitalocean',
] as const;

export type ProviderId = (typeof providerIds)[number];

/** How to change a server setting that only takes effect with a restart. */
export interface SettingFix {
  /** In words; may have several lines. */
  readonly advice: string;
  /** Of a shell, in order. Names in capitals are the reader's to fill in. */
  readonly commands: readonly string[];
  readonly sql: readonly string[];
}

/** Whether its administrator may do what PostgreSQL leaves to superusers; `unknown` where its documentation doesn't say. */
export interface Permission {
  readonly isAllowed: 'yes' | 'no' | 'unknown';
  /** What there is to know, in sentences. */
  readonly note: string;
}

/** What is different about PostgreSQL at one provider. Plain data, and the wording of fixes. */
export interface Provider {
  readonly id: ProviderId;
  readonly title: string;
  /** The page's first words. */
  readonly intro: string;
  readonly recognisedBy: Recognition;
  /** How a setting is changed, such as `wal_level` to `logical`. Both are taken as they are, so never from outside. */
  readonly changeSetting: (setting: string, value: string, major: number) => SettingFix;
  /** How a role comes to read the WAL: by the attribute REPLICATION, or by membership of a role. */
  readonly replication: { readonly membership: string | undefined; readonly note: string };
  /** Whom `bemi setup` connects as. */
  readonly administrator: string;
  readonly allTables: Permission;
  readonly eventTriggers: Permission;
  readonly tls: {
    /** Whether unencrypted connections are refused, as far as is known. */
    readonly isForced: boolean;
    readonly note: string;
  };
  /** What to look at when the server can't be reached. */
  readonly unreachable: string;
  /** Connections through a pooler carry no replication. */
  readonly pooler: Pooler | undefined;
  /** An URL as its users have it. */
  readonly exampleUrl: string;
  /** Whatever else would surprise. */
  readonly mind: readonly string[];
  readonly references: readonly string[];
}

export interface Pooler {
  readonly isPooler: (host: string, port: number) => boolean;
  readonly fix: string;
}

/** What gives a provider away, each by itself. */
export interface Recognition {
  /** In words, for the page. */
  readonly note: string;
  readonly roles?: readonly string[];
  /** Of the host's name, as it is connected to. */
  readonly host?: RegExp;
  /** The setting data_directory, which superusers see. */
  readonly dataDirectory?: RegExp;
  /** The function aurora_version(). */
  readonly isAurora?: true;
}
