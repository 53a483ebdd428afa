/** The table that the cases write. Prisma's schemas (`prisma-6`, `prisma-7`) describe it too. */
export const CREATE_ITEM_TABLE = `
  CREATE TABLE item (
    id integer PRIMARY KEY,
    name text NOT NULL UNIQUE,
    quantity integer NOT NULL CHECK (quantity >= 0)
  );
  ALTER TABLE item REPLICA IDENTITY FULL`;
