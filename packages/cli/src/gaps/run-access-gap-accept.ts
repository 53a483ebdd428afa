import type { LostAccesses } from '@bemi-db/worker/access/accept-access-gap';
import { loadConfiguration } from '../configuration/configuration.ts';
import { createLogger } from '../logging/create-logger.ts';
import { labelledLines } from '../output/labelled-lines.ts';
import { print } from '../output/print.ts';
import { countedText, countText } from '../presentation/quantity-text.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { configuredAccessRecorder } from '../recording/configured-access-recorder.ts';
import { openDestination } from '../recording/configured-worker.ts';
import { agreeUnless, DryRunEnd, type StatementFlags, statementOf } from './stopped-worker.ts';

/** `bemi gap accept --access`: shows what of the log of accesses is lost, asks, and has the log say that it is accepted. */
export async function runAccessGapAccept(flags: StatementFlags): Promise<void> {
  const statement = statementOf(flags);
  const isJson = flags.json === true;
  const configuration = loadConfiguration();
  const logger = createLogger('error');
  const destination = await openDestination(configuration, flags.embedded === true, logger);
  try {
    const style = textStyle(process.stdout);
    const accepted = await configuredAccessRecorder(configuration, destination, logger).acceptGap({
      ...statement,
      confirm: async (lost) => {
        if (!isJson) await print(lostText(lost, style));
        if (isJson && flags.dryRun) await print(`${JSON.stringify({ sequence: null, ...lost })}\n`);
        await agreeUnless(flags, 'Accept that this is missing, for good?');
      },
    });
    const { sequence, ...lost } = accepted;
    if (isJson) await print(`${JSON.stringify({ sequence, ...lost })}\n`);
    else
      await print(
        `${style.colors.green('✓')} Entry ${countText(sequence)} of the log of accesses says so. Start the worker.\n`,
      );
  } catch (error) {
    if (!(error instanceof DryRunEnd)) throw error;
  } finally {
    await destination.close();
  }
}

function lostText({ entries, lostSize, generation }: LostAccesses, style: TextStyle): string {
  const { colors } = style;
  const rows = [
    ['Log', `of accesses, ${countText(entries)} entries`],
    [
      'Gone',
      colors.red(
        `${countedText(lostSize - entries, 'entry', 'entries')} that ${lostSize - entries === 1 ? 'was' : 'were'} signed: there is a checkpoint of ${countText(lostSize)}`,
      ),
    ],
    ['From there', `generation ${generation}, with checkpoints of its own`],
  ] as const;
  return `${colors.bold('What would be accepted')}\n${labelledLines(rows, style)}`;
}
