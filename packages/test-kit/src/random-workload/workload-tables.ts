/** A table of the workload, and what is to be known of it to say what its log must hold. */
export interface WorkloadTable {
  /** Quoted. */
  readonly name: string;
  /** Of a partition: the partitioned table at the root, as the log names it. */
  readonly root?: { readonly schema: string; readonly table: string };
  /** Columns of the replica identity; `full` for whole rows, none for NOTHING. */
  readonly identity: 'full' | readonly string[];
  /** What the log calls the primary key: with an index as identity, the index's columns. */
  readonly key: readonly string[];
  /** Columns that are not published. */
  readonly unpublished?: readonly string[];
  /** Columns with STORAGE EXTERNAL, whose values are either short or TOASTed. */
  readonly wide?: readonly string[];
  /** Rows are told apart as a whole: there is no key, or two rows share it for a moment. */
  readonly hasNoReplayKey?: boolean;
}

const measurement = { schema: 'shop', table: 'measurement' };

/** Every table that holds rows; of partitioned tables the leaves. */
export const workloadTables: readonly WorkloadTable[] = [
  { name: 'shop.customer', identity: 'full', key: ['id'] },
  { name: 'shop."Order"', identity: ['id'], key: ['id'] },
  { name: 'shop.item', identity: ['order_id', 'line'], key: ['order_id', 'line'] },
  { name: 'shop.favourite', identity: 'full', key: [], hasNoReplayKey: true },
  { name: 'shop.note', identity: 'full', key: [], hasNoReplayKey: true },
  { name: 'shop.tally', identity: ['bucket'], key: ['bucket'] },
  {
    name: 'shop.document',
    identity: ['id'],
    key: ['id'],
    unpublished: ['title_length'],
    wide: ['body', 'appendix'],
  },
  { name: 'shop.attachment', identity: 'full', key: ['id'], wide: ['payload'] },
  { name: '"Parts".europe_low', root: measurement, identity: 'full', key: ['region', 'id'] },
  { name: '"Parts".europe_high', root: measurement, identity: ['region', 'id'], key: ['region', 'id'] },
  { name: '"Parts"."US"', root: measurement, identity: ['region', 'id'], key: ['region', 'id'] },
  { name: '"Parts".other', root: measurement, identity: 'full', key: ['region', 'id'] },
  { name: 'shop.seat', identity: 'full', key: ['id'], hasNoReplayKey: true },
  { name: 'shop.team', identity: 'full', key: ['id'] },
  { name: 'shop.member', identity: ['id'], key: ['id'] },
  { name: 'shop.counter', identity: ['code'], key: ['code'] },
  { name: 'shop.event', identity: [], key: ['id'] },
  { name: 'shop.batch', identity: 'full', key: ['id'] },
  { name: 'shop.batch_row', identity: ['batch_id', 'line'], key: ['batch_id', 'line'] },
  { name: 'shop.batch_log', identity: 'full', key: [], hasNoReplayKey: true },
  { name: 'shop.altered_one', identity: 'full', key: ['id'] },
  { name: 'shop.altered_other', identity: ['id'], key: ['id'] },
  { name: 'shop.altered_keyless', identity: 'full', key: [], hasNoReplayKey: true },
];

/**
 * A shop: keys that cascade, deferred constraints, triggers that write, partitions of other column orders, wide values,
 * each kind of replica identity, and tables that DDL changes.
 */
export const workloadSql = `
  CREATE SCHEMA shop;
  CREATE SCHEMA "Parts";
  CREATE TYPE shop.mood AS ENUM ('good', 'so-so', 'bad');
  CREATE TYPE shop.place AS (street text, number integer);

  CREATE TABLE shop.customer (id integer PRIMARY KEY, name text, score numeric, mood shop.mood, place shop.place,
    tags text[], seen timestamptz, extra jsonb, raw json, revision integer NOT NULL DEFAULT 0);
  CREATE TABLE shop."Order" (id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES shop.customer ON UPDATE CASCADE ON DELETE CASCADE,
    note text, amount numeric(12, 2), placed date);
  CREATE INDEX ON shop."Order" (customer_id);
  CREATE TABLE shop.item (order_id integer REFERENCES shop."Order" ON UPDATE CASCADE ON DELETE CASCADE, line integer,
    quantity integer NOT NULL CHECK (quantity >= 0), price double precision, PRIMARY KEY (order_id, line));
  CREATE TABLE shop.favourite (customer_id integer REFERENCES shop.customer ON UPDATE CASCADE ON DELETE SET NULL,
    label text, weight real);
  CREATE INDEX ON shop.favourite (customer_id);
  CREATE TABLE shop.note (what text, who integer, revision integer);
  CREATE TABLE shop.tally (bucket integer PRIMARY KEY, count bigint NOT NULL);
  CREATE TABLE shop.document (id integer PRIMARY KEY, title text, body text, appendix text,
    title_length integer GENERATED ALWAYS AS (length(title)) STORED, revision integer NOT NULL DEFAULT 0);
  CREATE TABLE shop.attachment (id integer PRIMARY KEY, tag text, payload text);
  ALTER TABLE shop.document ALTER COLUMN body SET STORAGE EXTERNAL, ALTER COLUMN appendix SET STORAGE EXTERNAL;
  ALTER TABLE shop.attachment ALTER COLUMN payload SET STORAGE EXTERNAL;

  CREATE TABLE shop.measurement (id integer, region text, value numeric, at timestamp, detail text,
    PRIMARY KEY (region, id)) PARTITION BY LIST (region);
  CREATE TABLE "Parts".europe PARTITION OF shop.measurement FOR VALUES IN ('eu') PARTITION BY RANGE (id);
  CREATE TABLE "Parts".europe_low PARTITION OF "Parts".europe FOR VALUES FROM (0) TO (50);
  CREATE TABLE "Parts".europe_high PARTITION OF "Parts".europe FOR VALUES FROM (50) TO (1000);
  CREATE TABLE "Parts"."US" (detail text, gone integer, value numeric, region text NOT NULL, id integer NOT NULL,
    at timestamp);
  ALTER TABLE "Parts"."US" DROP COLUMN gone;
  ALTER TABLE shop.measurement ATTACH PARTITION "Parts"."US" FOR VALUES IN ('us');
  CREATE TABLE "Parts".other PARTITION OF shop.measurement DEFAULT;

  CREATE TABLE shop.seat (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, guest text);
  CREATE TABLE shop.team (id integer PRIMARY KEY, name text);
  CREATE TABLE shop.member (id integer PRIMARY KEY,
    team_id integer REFERENCES shop.team ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, name text);
  CREATE TABLE shop.counter (id integer PRIMARY KEY, code text NOT NULL UNIQUE, count integer NOT NULL DEFAULT 0);
  CREATE TABLE shop.event (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, what text);
  CREATE TABLE shop.batch (id integer PRIMARY KEY, label text);
  CREATE TABLE shop.batch_row (batch_id integer NOT NULL REFERENCES shop.batch, line integer, v text,
    PRIMARY KEY (batch_id, line));
  CREATE TABLE shop.batch_log (batch_id integer, line integer, what text,
    FOREIGN KEY (batch_id, line) REFERENCES shop.batch_row);
  CREATE TABLE shop.altered_one (id integer PRIMARY KEY, v text, revision integer NOT NULL DEFAULT 0);
  CREATE TABLE shop.altered_other (id integer PRIMARY KEY, v text, revision integer NOT NULL DEFAULT 0);
  CREATE TABLE shop.altered_keyless (v text, revision integer NOT NULL DEFAULT 0);

  ALTER TABLE shop.counter REPLICA IDENTITY USING INDEX counter_code_key;
  ALTER TABLE shop.event REPLICA IDENTITY NOTHING;
${workloadTables
  .filter(({ identity }) => identity === 'full')
  .map(({ name }) => `  ALTER TABLE ${name} REPLICA IDENTITY FULL;`)
  .join('\n')}

  CREATE FUNCTION shop.next_revision() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    new.revision := old.revision + 1;
    RETURN new;
  END $$;
  CREATE TRIGGER next_revision BEFORE UPDATE ON shop.customer FOR EACH ROW EXECUTE FUNCTION shop.next_revision();
  CREATE TRIGGER next_revision BEFORE UPDATE ON shop.document FOR EACH ROW EXECUTE FUNCTION shop.next_revision();

  CREATE FUNCTION shop.take_note() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO shop.note VALUES (TG_OP, CASE WHEN TG_OP = 'INSERT' THEN new.id ELSE old.id END,
                                  CASE WHEN TG_OP = 'DELETE' THEN old.revision ELSE new.revision END);
    RETURN NULL;
  END $$;
  CREATE TRIGGER take_note AFTER INSERT OR UPDATE OR DELETE ON shop.customer
    FOR EACH ROW EXECUTE FUNCTION shop.take_note();

  CREATE FUNCTION shop.keep_tally() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO shop.tally SELECT id % 4, count(*) FROM changed GROUP BY 1
    ON CONFLICT (bucket) DO UPDATE SET count = tally.count + excluded.count;
    RETURN NULL;
  END $$;
  CREATE TRIGGER keep_tally AFTER INSERT ON shop.document REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION shop.keep_tally();

  CREATE FUNCTION shop.drop_empty_item() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    DELETE FROM shop.item WHERE order_id = new.order_id AND line = new.line;
    RETURN NULL;
  END $$;
  CREATE TRIGGER drop_empty_item AFTER UPDATE ON shop.item FOR EACH ROW WHEN (new.quantity = 0)
    EXECUTE FUNCTION shop.drop_empty_item();
`;
