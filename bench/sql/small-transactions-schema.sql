-- The workload of docs/performance.md: a clinic's table, changed in many small transactions with context.
CREATE TABLE "Patient" (
  id text PRIMARY KEY,
  "firstName" text NOT NULL,
  "lastName" text NOT NULL,
  "dateOfBirth" date,
  gender text,
  email text,
  phone text,
  address jsonb,
  balance numeric(12, 2),
  "isActive" boolean DEFAULT true,
  "createdAt" timestamptz DEFAULT now(),
  "updatedAt" timestamptz DEFAULT now()
);
ALTER TABLE "Patient" REPLICA IDENTITY FULL;
CREATE PUBLICATION bemi_publication FOR TABLE "Patient";
