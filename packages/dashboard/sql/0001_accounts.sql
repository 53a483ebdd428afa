-- Who may use the dashboard and its API. Nothing of the trail is in this schema, and its role sees nothing of the trail.

CREATE TABLE bemi_accounts.people (
  id text PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL UNIQUE CHECK (email = lower(email)),
  email_verified boolean NOT NULL DEFAULT false,
  image text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  two_factor_enabled boolean DEFAULT false,
  -- NULL: may sign in by single sign-on, and nothing else until an admin gives a role.
  role text CHECK (role IN ('viewer', 'auditor', 'operator', 'admin')),
  -- Patterns; NULL for all tables.
  tables text[],
  disabled_at timestamptz,
  -- Whoever gives roles could give himself what he lacks.
  CHECK (role IS DISTINCT FROM 'admin' OR tables IS NULL)
);

-- How somebody signs in: a password (`credential`) or a single sign-on (`oidc`).
CREATE TABLE bemi_accounts.credentials (
  id text PRIMARY KEY,
  person_id text NOT NULL REFERENCES bemi_accounts.people ON DELETE CASCADE,
  provider_id text NOT NULL,
  account_id text NOT NULL,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  scope text,
  -- Of scrypt, with its salt.
  password text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (provider_id, account_id)
);
CREATE INDEX ON bemi_accounts.credentials (person_id);

CREATE TABLE bemi_accounts.sessions (
  id text PRIMARY KEY,
  person_id text NOT NULL REFERENCES bemi_accounts.people ON DELETE CASCADE,
  -- The cookie has it with a signature, whose key is not in any database.
  token text NOT NULL UNIQUE,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  ip_address text,
  user_agent text
);
CREATE INDEX ON bemi_accounts.sessions (person_id);

-- What a sign-in in progress has to remember: the state of single sign-on, the wait for a second factor.
CREATE TABLE bemi_accounts.verifications (
  id text PRIMARY KEY,
  identifier text NOT NULL,
  value text NOT NULL,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON bemi_accounts.verifications (identifier);

CREATE TABLE bemi_accounts.second_factors (
  id text PRIMARY KEY,
  person_id text NOT NULL UNIQUE REFERENCES bemi_accounts.people ON DELETE CASCADE,
  -- Both encrypted, by the key that signs cookies.
  secret text NOT NULL,
  backup_codes text NOT NULL,
  verified boolean DEFAULT true,
  failed_verification_count integer DEFAULT 0,
  locked_until timestamptz
);

-- One-time links: of the first admin, of whoever is invited, of whoever forgot the password.
CREATE TABLE bemi_accounts.links (
  id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('first-admin', 'invitation', 'reset')),
  token_hash bytea NOT NULL UNIQUE,
  email text CHECK (email = lower(email)),
  name text,
  role text CHECK (role IN ('viewer', 'auditor', 'operator', 'admin')),
  tables text[],
  person_id text REFERENCES bemi_accounts.people ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  CHECK (role IS DISTINCT FROM 'admin' OR tables IS NULL)
);

CREATE TABLE bemi_accounts.api_keys (
  -- The beginning of the key, behind bemi_ak_: it is no secret.
  id text PRIMARY KEY,
  -- SHA-256 of the key, which has 256 random bits: nobody can guess one from it.
  key_hash bytea NOT NULL,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('viewer', 'auditor', 'operator', 'admin')),
  tables text[],
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  -- NULL: never.
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  CHECK (role IS DISTINCT FROM 'admin' OR tables IS NULL)
);

-- How often something was tried of late. Every process that serves the dashboard counts here.
CREATE TABLE bemi_accounts.attempts (
  -- SHA-256 of what is counted: neither addresses nor names are kept.
  subject bytea PRIMARY KEY,
  since timestamptz NOT NULL,
  count integer NOT NULL
);
