-- Gaps and skips: what somebody has accepted is missing, and where recording goes on.

ALTER TABLE bemi.sources
  -- Where the last `gap` or `skip` event says that recording goes on.
  ADD COLUMN resumed_lsn pg_lsn NOT NULL DEFAULT '0/0',
  -- final_lsn of the last transaction of the generations before this one. A source that was restored from an older copy
  -- may send some of them again.
  ADD COLUMN previous_final_lsn pg_lsn NOT NULL DEFAULT '0/0';

-- What a `gap` event says, in its own audit transaction: another history begins, from `resume_lsn` on.
CREATE FUNCTION bemi.begin_generation(log_number integer, new_generation integer, source_system text, source_slot text,
                                      source_publication text, source_timeline integer, resume_lsn pg_lsn)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE bemi.sources
     SET generation = new_generation, system_identifier = source_system, slot = source_slot,
         publication = source_publication, timeline = source_timeline,
         previous_final_lsn = greatest(previous_final_lsn, last_final_lsn), last_final_lsn = '0/0',
         confirmed_lsn = resume_lsn, resumed_lsn = resume_lsn
   WHERE log = log_number AND generation < new_generation;
  IF NOT found THEN
    RAISE EXCEPTION 'log % can''t begin generation %', log_number, new_generation USING ERRCODE = 'BM003';
  END IF;
END $$;

-- What a `skip` event says, in its own audit transaction: WAL up to `resume_lsn` is passed over.
CREATE FUNCTION bemi.skip_to(log_number integer, resume_lsn pg_lsn) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE bemi.sources SET resumed_lsn = resume_lsn WHERE log = log_number AND confirmed_lsn <= resume_lsn;
  IF NOT found THEN
    RAISE EXCEPTION 'log % is past %', log_number, resume_lsn USING ERRCODE = 'BM003';
  END IF;
END $$;

REVOKE EXECUTE ON FUNCTION
  bemi.begin_generation(integer, integer, text, text, text, integer, pg_lsn),
  bemi.skip_to(integer, pg_lsn)
FROM PUBLIC;
