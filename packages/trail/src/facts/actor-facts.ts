import { jsonMembers, plainText } from './json-members.ts';

/** What a trigger in the source says of the database user. */
export interface ActorFacts {
  /** As which role it logged in, and as which it acts, where that is another. */
  readonly who: string | undefined;
  /** The program, by its own word. */
  readonly application: string | undefined;
  readonly address: string | undefined;
}

/** Reads the facts out of an actor's JSON text; one for each message where several contradict each other. */
export function actorFacts(actor: string): readonly ActorFacts[] {
  const objects = actor.trimStart().startsWith('[') ? arrayItems(actor) : [actor];
  return objects.map((object) => {
    const members = new Map(jsonMembers(object).map(({ name, value }) => [name, plainText(value)]));
    const text = (name: string): string | undefined => members.get(name) || undefined;
    const user = text('session_user');
    const role = text('role');
    return {
      who: role === undefined ? user : `${user ?? 'somebody'} as ${role}`,
      application: text('application_name'),
      address: text('client_addr'),
    };
  });
}

function arrayItems(array: string): string[] {
  return (JSON.parse(array) as unknown[]).map((item) => JSON.stringify(item));
}
