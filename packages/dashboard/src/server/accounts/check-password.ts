import { ApiProblem } from '../api-problem.ts';
import { passwordProblem } from './password-rule.ts';

/** @throws ApiProblem 422 for a password that is not good enough. */
export function checkPassword(
  password: string,
  person: { readonly email: string; readonly name: string },
): void {
  const problem = passwordProblem(password, person);
  if (problem !== undefined)
    throw new ApiProblem(
      422,
      'weak-password',
      problem,
      'Several words that don’t belong together are a good one.',
    );
}
