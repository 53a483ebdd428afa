-- Who did it, as people look for somebody: by the context's word or by the database's.

-- The texts that name who made a change: each member of the context whose name is that of a person or a job, written in any
-- case, with or without _ and - (src/query/actor-members.ts has the same list), of an object what identifies it;
-- and every member of the actor that a trigger in the source reports.
CREATE FUNCTION bemi.actors(context jsonb, actor jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(array_agg(DISTINCT who), '{}') FROM (
    SELECT CASE jsonb_typeof(m.value) WHEN 'object' THEN inside.value ELSE m.value #>> '{}' END AS who
      FROM jsonb_each(CASE jsonb_typeof(context) WHEN 'object' THEN context ELSE '{}' END) m
      LEFT JOIN LATERAL (
        SELECT i.value #>> '{}' AS value
          FROM jsonb_each(CASE jsonb_typeof(m.value) WHEN 'object' THEN m.value ELSE '{}' END) i
         WHERE lower(i.key) IN ('id', 'email', 'name', 'username') AND jsonb_typeof(i.value) IN ('string', 'number')
      ) inside ON true
     WHERE lower(translate(m.key, '-_', '')) IN ('userid', 'user', 'useremail', 'email', 'username', 'actor', 'actorid', 'sub',
                                                 'accountid', 'job', 'script')
       AND jsonb_typeof(m.value) IN ('string', 'number', 'object')
    UNION ALL
    SELECT d.value #>> '{}'
      FROM jsonb_array_elements(CASE jsonb_typeof(actor) WHEN 'array' THEN actor WHEN 'object' THEN jsonb_build_array(actor)
                                                         ELSE '[]' END) reported
      CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(reported) WHEN 'object' THEN reported ELSE '{}' END) d
     WHERE jsonb_typeof(d.value) IN ('string', 'number')
  ) named WHERE who <> ''
$$;
