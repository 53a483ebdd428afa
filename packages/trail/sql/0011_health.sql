-- How workers are doing, so that whoever can't ask their processes sees it too: the dashboard. It is no part of the log, is not
-- signed, and proves nothing: whoever has the writer's password can say anything here (docs/security.md).

-- A worker process, for each log that it records or waits to record. By the log's name: one that was refused at its first
-- start has made no log.
CREATE TABLE bemi.workers (
  log_name       text        NOT NULL,
  instance       text        NOT NULL,
  host           text        NOT NULL,
  pid            integer     NOT NULL,
  version        text,
  state          text        NOT NULL,
  -- {code, message, fix}: what keeps it from recording.
  problem        json,
  -- The same of the log of accesses, which each process may write; NULL where it has no recorder of it.
  access_state   text,
  access_problem json,
  -- As it saw them last; NULL where it could not.
  lag_bytes      bigint,
  lag_seconds    real,
  retained_bytes bigint,
  safe_bytes     bigint,
  database_bytes bigint,
  started_at     timestamptz NOT NULL,
  state_since    timestamptz NOT NULL,
  seen_at        timestamptz NOT NULL,
  PRIMARY KEY (log_name, instance)
);

-- A minute of a worker; an hour of all workers (without an instance) once it is older than a week. Sizes are the largest that
-- were seen, NULL where nothing was; counts are those of the period.
CREATE TABLE bemi.health_samples (
  log_name           text        NOT NULL,
  instance           text        NOT NULL,
  number             bigint      NOT NULL,
  -- The end of the period, by the audit database's clock.
  at                 timestamptz NOT NULL,
  seconds            real        NOT NULL,
  recording_seconds  real        NOT NULL,
  problem            text,
  lag_bytes          bigint,
  lag_seconds        real,
  retained_bytes     bigint,
  safe_bytes         bigint,
  changes            bigint      NOT NULL,
  transactions       bigint      NOT NULL,
  quarantined        bigint      NOT NULL,
  audit_transactions bigint      NOT NULL,
  audit_seconds      real        NOT NULL,
  database_bytes     bigint,
  PRIMARY KEY (log_name, instance, number)
);
CREATE INDEX ON bemi.health_samples (log_name, at);

-- Alerts that fired. Times of firing and clearing are the worker's, as it told them to whom alerts are sent.
CREATE TABLE bemi.alert_history (
  id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  log_name         text        NOT NULL,
  alert            text        NOT NULL,
  severity         text        NOT NULL,
  evidence         text        NOT NULL,
  fix              text        NOT NULL,
  host             text        NOT NULL,
  since            timestamptz NOT NULL,
  -- When a worker last said that it fires.
  seen_at          timestamptz NOT NULL,
  cleared_at       timestamptz,
  cleared_evidence text,
  UNIQUE (log_name, alert, since)
);

-- A worker says how it is doing. What it has seen before is told by how long ago that was: its clock is not taken for it.
-- The same report twice is the same as once.
CREATE FUNCTION bemi.report_health(report json) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  told_at  CONSTANT timestamptz := clock_timestamp();
  of_log   CONSTANT text := report ->> 'log';
  who      CONSTANT text := report ->> 'instance';
  worker   CONSTANT json := report -> 'worker';
  an_alert json;
BEGIN
  IF octet_length(report::text) > 1000000 OR length(of_log) NOT BETWEEN 1 AND 200 OR who !~ '^[0-9a-f]{16}$'
     OR NOT coalesce(worker ->> 'state' IN ('starting', 'standby', 'waiting', 'recording', 'stopping', 'stopped', 'refused'), false)
     OR of_log IS NULL OR who IS NULL THEN
    RAISE EXCEPTION 'this is no report of a worker' USING ERRCODE = 'BM003';
  END IF;
  -- Another one has started where this one was: a process that fails over and over is one, not many.
  DELETE FROM bemi.workers w
   WHERE w.log_name = of_log AND w.host = worker ->> 'host' AND w.state IN ('stopped', 'refused')
     AND NOT EXISTS (SELECT FROM bemi.workers known WHERE known.log_name = of_log AND known.instance = who);
  INSERT INTO bemi.workers AS w (log_name, instance, host, pid, version, state, problem, access_state, access_problem,
                                 lag_bytes, lag_seconds, retained_bytes, safe_bytes, database_bytes, started_at, state_since,
                                 seen_at)
  VALUES (of_log, who, left(worker ->> 'host', 255), (worker ->> 'pid')::integer, left(worker ->> 'version', 64),
          worker ->> 'state', (worker -> 'problem' #>> '{}')::json, worker ->> 'accessState',
          (worker -> 'accessProblem' #>> '{}')::json, (worker ->> 'lagBytes')::bigint, (worker ->> 'lagSeconds')::real,
          (worker ->> 'retainedBytes')::bigint, (worker ->> 'safeBytes')::bigint, (worker ->> 'databaseBytes')::bigint,
          told_at - make_interval(secs => (worker ->> 'startedSecondsAgo')::float8),
          told_at - make_interval(secs => (worker ->> 'stateSecondsAgo')::float8), told_at)
  ON CONFLICT (log_name, instance) DO UPDATE
     SET state = excluded.state, problem = excluded.problem, access_state = excluded.access_state,
         access_problem = excluded.access_problem, lag_bytes = excluded.lag_bytes, lag_seconds = excluded.lag_seconds,
         retained_bytes = excluded.retained_bytes, safe_bytes = excluded.safe_bytes,
         database_bytes = excluded.database_bytes, seen_at = excluded.seen_at,
         state_since = CASE WHEN w.state = excluded.state THEN w.state_since ELSE excluded.state_since END;

  INSERT INTO bemi.health_samples (log_name, instance, number, at, seconds, recording_seconds, problem, lag_bytes, lag_seconds,
                                   retained_bytes, safe_bytes, changes, transactions, quarantined, audit_transactions,
                                   audit_seconds, database_bytes)
  SELECT of_log, who, s.number, told_at - make_interval(secs => s."secondsAgo"), s.seconds, s."recordingSeconds",
         left(s.problem, 64), s."lagBytes", s."lagSeconds", s."retainedBytes", s."safeBytes", s.changes, s.transactions,
         s.quarantined, s."auditTransactions", s."auditSeconds", s."databaseBytes"
    FROM json_to_recordset(report -> 'samples') AS s (
           number bigint, "secondsAgo" float8, seconds real, "recordingSeconds" real, problem text, "lagBytes" bigint,
           "lagSeconds" real, "retainedBytes" bigint, "safeBytes" bigint, changes bigint, transactions bigint,
           quarantined bigint, "auditTransactions" bigint, "auditSeconds" real, "databaseBytes" bigint)
  ON CONFLICT (log_name, instance, number) DO NOTHING;

  -- One after the other: an alert may have fired and be over in the same report.
  FOR an_alert IN SELECT a.value FROM json_array_elements(report -> 'alerts') a LOOP
    INSERT INTO bemi.alert_history AS h (log_name, alert, severity, evidence, fix, host, since, seen_at, cleared_at,
                                         cleared_evidence)
    SELECT of_log, left(an_alert ->> 'id', 64), left(an_alert ->> 'severity', 16), left(an_alert ->> 'evidence', 2000),
           left(an_alert ->> 'fix', 2000), left(worker ->> 'host', 255), (an_alert ->> 'since')::timestamptz, told_at,
           CASE WHEN is_over THEN (an_alert ->> 'at')::timestamptz END,
           CASE WHEN is_over THEN left(an_alert ->> 'evidence', 2000) END
      FROM (SELECT an_alert ->> 'state' = 'cleared' AS is_over) said
    ON CONFLICT (log_name, alert, since) DO UPDATE
       SET seen_at = excluded.seen_at, cleared_at = excluded.cleared_at, cleared_evidence = excluded.cleared_evidence
     WHERE h.cleared_at IS NULL;
  END LOOP;
END $$;

-- Minutes older than a week become hours, and what is older than a year goes. Workers that were not seen for a day go too, but
-- for the last of each log: since when there is none must be seen.
CREATE FUNCTION bemi.thin_health() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  minutes_until CONSTANT timestamptz := date_trunc('hour', clock_timestamp() - interval '7 days');
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('bemi.thin_health')) THEN RETURN; END IF;
  WITH minutes AS (
    DELETE FROM bemi.health_samples WHERE at < minutes_until AND instance <> '' RETURNING *
  )
  INSERT INTO bemi.health_samples (log_name, instance, number, at, seconds, recording_seconds, problem, lag_bytes, lag_seconds,
                                   retained_bytes, safe_bytes, changes, transactions, quarantined, audit_transactions,
                                   audit_seconds, database_bytes)
  SELECT log_name, '', extract(epoch FROM date_trunc('hour', at))::bigint,
         date_trunc('hour', at) + interval '1 hour' - interval '1 microsecond', 3600, least(sum(recording_seconds), 3600),
         max(problem), max(lag_bytes), max(lag_seconds), max(retained_bytes), min(safe_bytes), sum(changes), sum(transactions),
         sum(quarantined), sum(audit_transactions), sum(audit_seconds), max(database_bytes)
    FROM minutes GROUP BY log_name, date_trunc('hour', at)
  ON CONFLICT (log_name, instance, number) DO NOTHING;
  DELETE FROM bemi.health_samples WHERE at < clock_timestamp() - interval '1 year';
  DELETE FROM bemi.alert_history WHERE seen_at < clock_timestamp() - interval '1 year';
  DELETE FROM bemi.workers w WHERE w.seen_at < clock_timestamp() - interval '1 day'
     AND EXISTS (SELECT FROM bemi.workers later WHERE later.log_name = w.log_name AND later.seen_at > w.seen_at);
END $$;

REVOKE EXECUTE ON FUNCTION bemi.report_health(json), bemi.thin_health() FROM PUBLIC;
