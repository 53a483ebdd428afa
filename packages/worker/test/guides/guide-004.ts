/** Steps 2 and 4 of guide 004, as a person types them. Step 1 is the server's own settings. */
export const guide004 = {
  settings: { wal_level: 'logical', max_replication_slots: '4', max_wal_senders: '4' },
  step2: `
-- Create replication user
CREATE USER bemi_replication WITH REPLICATION PASSWORD 'secure_random_password_here';

-- Grant schema access
GRANT USAGE ON SCHEMA public TO bemi_replication;

-- Grant table access (current and future tables)
GRANT SELECT ON ALL TABLES IN SCHEMA public TO bemi_replication;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO bemi_replication;

-- Create replication slot
SELECT pg_create_logical_replication_slot('bemi_slot', 'pgoutput');

-- Create publication for all tables
CREATE PUBLICATION bemi_publication FOR ALL TABLES;
`,
  step4: `
-- Enable REPLICA IDENTITY FULL for all tables
DO $$
DECLARE
  table_name text;
BEGIN
  FOR table_name IN
    SELECT tablename
    FROM pg_tables
    WHERE schemaname = 'public'
  LOOP
    EXECUTE format('ALTER TABLE %I REPLICA IDENTITY FULL', table_name);
    RAISE NOTICE 'Set REPLICA IDENTITY FULL for %', table_name;
  END LOOP;
END $$;
`,
} as const;
