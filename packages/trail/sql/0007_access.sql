-- The log of accesses: who looked at what of the trail (docs/access-log.md, docs/spec/log.md "Accesses").
--
-- It is a log like any other, without a row in bemi.sources: nothing is streamed into it. Whoever shows audit data asks for
-- an entry by bemi.request_access; a worker appends it.

-- Which of a person, a table or a record: by containment. Only entries of this log are in it.
CREATE INDEX ON bemi.event_log USING gin ((payload::jsonb) jsonb_path_ops) WHERE kind = 'access';

-- The number of the log of accesses, or NULL while there is none: it begins with the first access.
CREATE FUNCTION bemi.log_of_accesses() RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT l.log FROM bemi.logs l WHERE l.name = 'bemi:access'
$$;

-- Asks for an entry of the log of accesses, and returns the request's number. It is the one function that everybody who may
-- read the trail may call, so it takes nothing but what the table below names, and says itself who asked, from where and
-- when: the caller's word is not taken for that. BM003: what was said is none of it; 42501: the session may not read.
CREATE FUNCTION bemi.request_access(access jsonb) RETURNS bigint
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
                                        'key', 'live')
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

-- Whoever may insert into the inbox could else say anything of anybody: accesses come by the function alone, which runs as
-- the owner. And the log of accesses takes no other name: no source can write into it.
CREATE FUNCTION bemi.guard_accesses() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_user <> (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = tg_relid) THEN
    RAISE EXCEPTION 'an access is asked for by bemi.request_access' USING ERRCODE = '42501';
  END IF;
  RETURN new;
END $$;
CREATE TRIGGER guard_accesses BEFORE INSERT ON bemi.inbox FOR EACH ROW WHEN (new.kind = 'access')
  EXECUTE FUNCTION bemi.guard_accesses();

CREATE FUNCTION bemi.refuse_source() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF new.log = bemi.log_of_accesses() THEN
    RAISE EXCEPTION 'the log of accesses has no source' USING ERRCODE = 'BM003';
  END IF;
  RETURN new;
END $$;
CREATE TRIGGER refuse_source BEFORE INSERT ON bemi.sources FOR EACH ROW EXECUTE FUNCTION bemi.refuse_source();

-- As before. Of an access nothing waits for the answer, and the entry says all that the request said: it goes in the commit
-- that has the entry, so that each is there once, and erased with it.
CREATE OR REPLACE FUNCTION bemi.answer(log_number integer, request_id bigint, event_sequence bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM bemi.inbox WHERE id = request_id AND log = log_number AND sequence IS NULL AND kind = 'access';
  IF found THEN RETURN; END IF;
  UPDATE bemi.inbox SET sequence = event_sequence, answered_at = now()
   WHERE id = request_id AND log = log_number AND sequence IS NULL;
END $$;

-- Erases what expired accesses say; their commitments stay. Of other events nothing is ever erased.
CREATE FUNCTION bemi.erase_accesses(log_number integer, entries json) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  erased bigint;
BEGIN
  IF coalesce(json_typeof(entries), '') <> 'array' THEN
    RAISE EXCEPTION 'entries to be erased are a list of pairs' USING ERRCODE = 'BM003';
  END IF;
  PERFORM set_config('bemi.permit', 'erasure', true);
  UPDATE bemi.event_log e
     SET commitment = sha256(bemi.commitment_field(e.kind) || bemi.commitment_field(e.salt) || bemi.commitment_field(e.actor)
                             || bemi.commitment_field(e.payload::text)),
         salt = NULL, actor = NULL, payload = NULL
    FROM json_array_elements(entries) AS pair
   WHERE e.log = log_number AND e.sequence BETWEEN (pair->>0)::bigint AND (pair->>1)::bigint
     AND e.kind = 'access' AND e.salt IS NOT NULL;
  GET DIAGNOSTICS erased = ROW_COUNT;
  PERFORM set_config('bemi.permit', '', true);
  RETURN erased;
END $$;

REVOKE EXECUTE ON FUNCTION bemi.erase_accesses(integer, json) FROM PUBLIC;

-- As before, and accesses.
CREATE OR REPLACE FUNCTION bemi.carry_out(log_number integer, kind text, event_sequence bigint, payload json) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  CASE kind
    WHEN 'erasure' THEN
      IF log_number = bemi.log_of_accesses() THEN PERFORM bemi.erase_accesses(log_number, payload->'entries');
      ELSE PERFORM bemi.erase_entries(log_number, payload->'entries');
      END IF;
    WHEN 'retention' THEN PERFORM bemi.drop_entries(log_number, (payload->>'before')::bigint);
    WHEN 'hold' THEN PERFORM bemi.apply_hold(log_number, event_sequence, payload);
    WHEN 'config' THEN PERFORM bemi.apply_config(log_number, event_sequence, payload);
    ELSE NULL;
  END CASE;
END $$;
