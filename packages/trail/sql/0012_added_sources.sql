-- Data sources that somebody added in the dashboard (docs/configuration.md, "Sources that are added in the dashboard"). Where
-- they are is said here; how to sign in there is sealed, with a key that is not in this database.

CREATE TABLE bemi.added_sources (
  id             integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Of the source, and of its log.
  name           text        NOT NULL CHECK (name ~ '^[^\u0001-\u001f\u007f-\u009f/]{1,63}$' AND name !~ '^bemi:'),
  -- Grows with each change: whoever records it takes up what is new.
  revision       integer     NOT NULL DEFAULT 1,
  host           text        NOT NULL CHECK (length(host) <= 255),
  port           integer     NOT NULL CHECK (port BETWEEN 1 AND 65535),
  database       text        NOT NULL CHECK (octet_length(database) BETWEEN 1 AND 63),
  role           text        NOT NULL CHECK (octet_length(role) BETWEEN 1 AND 63),
  slot           text        NOT NULL CHECK (slot ~ '^[a-z0-9_]{1,63}$'),
  publication    text        NOT NULL CHECK (octet_length(publication) BETWEEN 1 AND 63),
  buffer_size    integer     NOT NULL CHECK (buffer_size BETWEEN 1 AND 1000000),
  retention_days integer     NOT NULL CHECK (retention_days BETWEEN 1 AND 36525),
  added_at       timestamptz NOT NULL DEFAULT now(),
  added_by       text        NOT NULL,
  changed_at     timestamptz,
  changed_by     text,
  removed_at     timestamptz,
  removed_by     text
);
CREATE UNIQUE INDEX ON bemi.added_sources (name) WHERE removed_at IS NULL;

-- The connection URLs, encrypted. The reader may not read this table (src/roles). One goes when its source is removed.
CREATE TABLE bemi.source_secrets (
  id     integer PRIMARY KEY REFERENCES bemi.added_sources,
  sealed bytea   NOT NULL CHECK (octet_length(sealed) <= 8192)
);

-- As before, and sources.
CREATE OR REPLACE FUNCTION bemi.request_access(access jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  members CONSTANT jsonb := '{
    "what": "string", "via": "string", "by": "object", "command": "string", "part": "string", "id": "string",
    "log": "string", "tables": "array", "key": "string", "sequence": "number", "operations": "array", "filters": "array",
    "since": "string", "until": "string", "changes": "number", "firstSequence": "number", "lastSequence": "number",
    "began": "string", "ended": "string", "address": "string", "userAgent": "string", "subject": "string",
    "action": "string", "shortened": "boolean"}';
  member text;
  number integer;
  request_id bigint;
BEGIN
  IF NOT has_table_privilege(session_user, 'bemi.event_log', 'SELECT') THEN
    RAISE EXCEPTION 'the role % may not read the trail', session_user USING ERRCODE = '42501';
  END IF;
  IF coalesce(jsonb_typeof(access), '') <> 'object' OR octet_length(access::text) > 8192 THEN
    RAISE EXCEPTION 'an access is a JSON object of at most 8192 bytes' USING ERRCODE = 'BM003';
  END IF;
  SELECT m.key INTO member FROM jsonb_each(access) m
   WHERE jsonb_typeof(m.value) IS DISTINCT FROM members ->> m.key
      OR jsonb_typeof(m.value) = 'number' AND m.value::text !~ '^[0-9]{1,15}$' ORDER BY m.key LIMIT 1;
  IF found THEN
    RAISE EXCEPTION 'an access has no member % of this type', quote_ident(left(member, 63)) USING ERRCODE = 'BM003';
  END IF;
  IF NOT coalesce(access ->> 'what' IN ('search', 'view', 'export', 'sign-in', 'sign-out', 'sign-in-failed', 'account',
                                        'key', 'live', 'source')
                  AND access ->> 'via' IN ('cli', 'dashboard', 'api'), false)
     OR access ->> 'part' NOT IN ('begin', 'end')
  THEN
    RAISE EXCEPTION 'an access says what it was, and by what' USING ERRCODE = 'BM003';
  END IF;
  -- Terminals and pages act on these instead of showing them: controls, invisible marks, changes of direction.
  IF EXISTS (SELECT FROM jsonb_path_query(access, 'strict $.**') said
              WHERE jsonb_typeof(said) = 'string'
                AND said #>> '{}' ~ '[\u0001-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]'
             UNION ALL
             SELECT FROM jsonb_path_query(access, 'strict $.** ? (@.type() == "object")') said, jsonb_object_keys(said) name
              WHERE name !~ '^[a-zA-Z]{1,32}$') THEN
    RAISE EXCEPTION 'an access has no control characters, and no member of another name' USING ERRCODE = 'BM003';
  END IF;
  number := coalesce(
    bemi.log_of_accesses(),
    bemi.create_log('bemi:access', md5(random()::text || clock_timestamp()::text || pg_backend_pid()::text
      || CASE WHEN current_setting('server_version_num')::integer >= 130000
              THEN gen_random_uuid()::text || gen_random_uuid()::text ELSE '' END)));
  INSERT INTO bemi.inbox (log, kind, actor, payload)
  VALUES (number, 'access', access -> 'by' ->> 'id',
          (access || jsonb_strip_nulls(jsonb_build_object(
            'role', session_user::text,
            'connectedFrom', host(inet_client_addr()),
            'at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))))::json)
  RETURNING id INTO request_id;
  RETURN request_id;
END $$;

-- Each change of the sources is an entry of the log of accesses, in the same transaction: with who it was, from where.
CREATE FUNCTION bemi.record_source_change(name text, action text, access jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM bemi.request_access(access || jsonb_build_object('what', 'source', 'subject', name, 'action', action));
  PERFORM pg_notify('bemi_sources', '');
  RETURN coalesce(access -> 'by' ->> 'email', access -> 'by' ->> 'name', access -> 'by' ->> 'id', session_user::text);
END $$;

-- Adds a source, and returns its number. 23505: there is one of this name.
CREATE FUNCTION bemi.add_source(source jsonb, sealed bytea, access jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  number integer;
BEGIN
  INSERT INTO bemi.added_sources (name, host, port, database, role, slot, publication, buffer_size, retention_days, added_by)
  VALUES (source ->> 'name', source ->> 'host', (source ->> 'port')::integer, source ->> 'database', source ->> 'role',
          source ->> 'slot', source ->> 'publication', (source ->> 'bufferSize')::integer,
          (source ->> 'retentionDays')::integer,
          bemi.record_source_change(source ->> 'name', 'added', access))
  RETURNING id INTO number;
  INSERT INTO bemi.source_secrets VALUES (number, sealed);
  RETURN number;
END $$;

-- Changes what is named of it; the connection as a whole, where there is a new one. BM003: there is no such source.
CREATE FUNCTION bemi.change_source(source_name text, changes jsonb, new_sealed bytea, access jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  number integer;
BEGIN
  IF (new_sealed IS NULL) = (changes ?| array['host', 'port', 'database', 'role']) THEN
    RAISE EXCEPTION 'a connection is changed as a whole' USING ERRCODE = 'BM003';
  END IF;
  UPDATE bemi.added_sources s
     SET revision = s.revision + 1,
         host = coalesce(changes ->> 'host', s.host), port = coalesce((changes ->> 'port')::integer, s.port),
         database = coalesce(changes ->> 'database', s.database), role = coalesce(changes ->> 'role', s.role),
         slot = coalesce(changes ->> 'slot', s.slot), publication = coalesce(changes ->> 'publication', s.publication),
         buffer_size = coalesce((changes ->> 'bufferSize')::integer, s.buffer_size),
         retention_days = coalesce((changes ->> 'retentionDays')::integer, s.retention_days),
         changed_at = now(),
         changed_by = bemi.record_source_change(
           source_name, CASE WHEN new_sealed IS NULL THEN 'changed' ELSE 'connection-changed' END, access)
   WHERE s.name = source_name AND s.removed_at IS NULL
  RETURNING id INTO number;
  IF number IS NULL THEN
    RAISE EXCEPTION 'there is no such source' USING ERRCODE = 'BM003';
  END IF;
  IF new_sealed IS NOT NULL THEN
    UPDATE bemi.source_secrets SET sealed = new_sealed WHERE id = number;
  END IF;
  RETURN number;
END $$;

-- Removes a source, and how to sign in there with it. Its log stays. BM003: there is no such source.
CREATE FUNCTION bemi.remove_source(source_name text, access jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  number integer;
BEGIN
  UPDATE bemi.added_sources s
     SET removed_at = now(), removed_by = bemi.record_source_change(source_name, 'removed', access)
   WHERE s.name = source_name AND s.removed_at IS NULL
  RETURNING id INTO number;
  IF number IS NULL THEN
    RAISE EXCEPTION 'there is no such source' USING ERRCODE = 'BM003';
  END IF;
  DELETE FROM bemi.source_secrets WHERE id = number;
  RETURN number;
END $$;

REVOKE EXECUTE ON FUNCTION bemi.add_source(jsonb, bytea, jsonb) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION bemi.change_source(text, jsonb, bytea, jsonb) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION bemi.remove_source(text, jsonb) FROM PUBLIC;
