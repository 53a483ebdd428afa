import { userInfo } from 'node:os';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type { SourceSummary } from '@bemi-db/trail/query/trail-summary';
import { isPlainText } from '@bemi-db/trail/request-payload';
import { type RecordedRules, rulesInForce } from '@bemi-db/trail/rules/recorded-rules';
import {
  areSameRules,
  isWithoutRules,
  noRules,
  type TrackingRules,
} from '@bemi-db/trail/rules/tracking-rules';
import { usageError } from '../cli-error.ts';
import { invocation } from '../output/invocation.ts';
import { print, printNote } from '../output/print.ts';
import { countText } from '../presentation/quantity-text.ts';
import { textStyle } from '../presentation/text-style.ts';
import { askWorker, parseWait } from '../worker-requests/ask-worker.ts';
import { withRecordedSource } from '../worker-requests/recorded-source.ts';
import { changedRules, type RulesChange } from './rules-change.ts';
import { readRulesFile } from './rules-document.ts';
import { rulesOriginText, rulesText } from './rules-text.ts';
import { unmatchedPatterns } from './unmatched-patterns.ts';

/** The flags that all of `bemi rules` takes. */
export interface RulesFlags {
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
}

export interface SetRulesFlags extends RulesFlags {
  readonly reason: string;
  readonly by?: string;
  readonly wait?: string;
}

export interface ChangeRulesFlags extends SetRulesFlags {
  readonly remove?: true;
}

/** `bemi rules show` */
export async function showRules(flags: RulesFlags): Promise<void> {
  await withRecordedSource(flags, async (client, source) => {
    const recorded = await rulesInForce(client, source.log);
    if (flags.json) await print(`${JSON.stringify(recorded ?? null)}\n`);
    else await print(inForceText(source, recorded));
  });
}

/** `bemi rules set FILE` */
export async function setRules(file: string, flags: SetRulesFlags): Promise<void> {
  const rules = readRulesFile(file);
  await change(flags, () => rules);
}

/** `bemi rules clear` */
export async function clearRules(flags: SetRulesFlags): Promise<void> {
  await change(flags, () => noRules);
}

/** `bemi rules include`, `exclude`, `ignore` and `redact` */
export async function changeRules(
  list: RulesChange['list'],
  patterns: readonly string[],
  flags: ChangeRulesFlags,
): Promise<void> {
  await change(flags, (rules) => changedRules(rules, { list, patterns, isRemoval: flags.remove === true }));
}

async function change(flags: SetRulesFlags, next: (rules: TrackingRules) => TrackingRules): Promise<void> {
  const reason = flags.reason.trim();
  const by = (flags.by ?? userInfo().username).trim();
  if (!isPlainText(reason) || !isPlainText(by)) {
    throw usageError(
      'A change of rules says why, and who wants it',
      'Write --reason "sessions are no records" --by "Ada": both stay in the log.',
    );
  }
  const waitSeconds = parseWait(flags.wait);
  await withRecordedSource(flags, async (client, source) => {
    const before = await rulesInForce(client, source.log);
    const rules = next(before?.rules ?? noRules);
    const style = textStyle(process.stdout);
    if (areSameRules(rules, before?.rules ?? noRules)) {
      if (flags.json) await print(`${JSON.stringify(before ?? null)}\n`);
      else await print(`Nothing to change.\n\n${inForceText(source, before)}`);
      return;
    }
    const unmatched = await unmatchedPatterns(client, source.log, rules, before?.rules ?? noRules);
    const request = { event: 'rules-set', rules, reason, by, basedOn: before?.sequence ?? null };
    const [sequence] = await askWorker({
      ...{ client, source, kind: 'config', payloads: [request], waitSeconds },
      refusalFix: `Nothing was changed. Look at the rules in force: ${invocation()} rules`,
    });
    const after = await rulesInForce(client, source.log);
    if (flags.json) await print(`${JSON.stringify(after ?? null)}\n`);
    else {
      await print(
        `${style.colors.green('✓')} Entry ${countText(sequence!)} of the log says so: it holds for what is recorded from there on.\n\n` +
          inForceText(source, after),
      );
    }
    for (const pattern of unmatched) {
      printNote(
        `${textStyle(process.stderr).colors.yellow('!')} Nothing that is recorded so far matches ${harmless(pattern)}: check its spelling, case included.\n`,
      );
    }
  });
}

function inForceText(source: SourceSummary, recorded: RecordedRules | undefined): string {
  const style = textStyle(process.stdout);
  const { colors } = style;
  const name = colors.bold(harmless(source.name));
  const isWithout = !recorded || isWithoutRules(recorded.rules);
  const title = isWithout
    ? `${name}  no rules are in force: every published table is recorded, as it is\n`
    : `${name}\n${rulesText(recorded.rules, style)}`;
  return recorded ? title + rulesOriginText(recorded, style) : title;
}
