/**
 * Members of a context that say who made a change. Compared without case, `_` and `-`: `userId`, `user_id` and `USER-ID` are
 * one name. Of several, the first that is there is the best. The function `bemi.actors` of the audit database has the
 * same list: a filter by actor finds any of them, and whatever a trigger in the source says of the database user.
 */
export const actorMembers = [
  'userid',
  'user',
  'useremail',
  'email',
  'username',
  'actor',
  'actorid',
  'sub',
  'accountid',
  'job',
  'script',
] as const;

/** Of a user that is an object, the members that identify it, the best first. */
export const identifyingMembers = ['id', 'email', 'name', 'username'] as const;

/** The name of a member as it is compared. */
export function actorMemberName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}
