import { CliError, usageError } from '../cli-error.ts';

/**
 * Asks before something is done.
 *
 * @throws CliError when there is nobody to ask, or the answer is no.
 */
export async function agree(question: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw usageError(
      'There is no terminal to ask on',
      'Add --yes to do it, or --dry-run to see what it would do.',
    );
  }
  const { confirm, isCancel } = await import('@clack/prompts');
  const answer = await confirm({ message: question, initialValue: false });
  if (isCancel(answer) || !answer) {
    throw new CliError(1, 'cancelled', 'Nothing was changed', 'Run it again when you are ready.');
  }
}
