-- Accesses of a period: by when the audit database was told, which is a text that sorts as the time does.
CREATE INDEX ON bemi.event_log ((payload->>'at') COLLATE "C") WHERE kind = 'access';
