/** The audit database's own tables: where it is the source too, they are not recorded. */
export const trailSchema = 'bemi';
