import { bytesText } from '@bemi-db/source/bytes-text';
import type { IdentityCost } from '@bemi-db/source/identity-cost';
import { displayTable } from '@bemi-db/source/table-name';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { countText } from '../presentation/quantity-text.ts';
import type { TextStyle } from '../presentation/text-style.ts';

const mostShown = 5;

/** What REPLICA IDENTITY FULL will add to the WAL, the dearest tables first; empty where nothing is known of it. */
export function identityCostText(
  costs: readonly IdentityCost[],
  tableCount: number,
  { colors }: TextStyle,
): string {
  if (costs.length === 0) return '';
  const shown = costs.slice(0, mostShown);
  const rows = shown.map((cost) => [
    harmless(displayTable(cost)),
    `+${bytesText(cost.walBytesPerChange)} a change`,
    cost.changesPerDay === undefined ? '' : `${countText(cost.changesPerDay)} a day`,
    cost.walBytesPerDay === undefined ? '' : `+${bytesText(cost.walBytesPerDay)} a day`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => {
    const [name = '', ...figures] = row.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!),
    );
    return `    ${[name, ...figures].join('  ').trimEnd()}\n`;
  });
  const rest = costs.length - shown.length;
  if (rest > 0) lines.push(`    ${colors.dim(`and ${countText(rest)} more`)}\n`);
  const days = costs.flatMap(({ walBytesPerDay }) => walBytesPerDay ?? []);
  const total = days.reduce((sum, bytes) => sum + bytes, 0);
  const inAll = days.length === 0 ? '' : `, in all +${bytesText(total)} a day`;
  const unknown = tableCount - costs.length;
  const without = unknown === 0 ? '' : ` (${countText(unknown)} without statistics)`;
  return (
    `\n  REPLICA IDENTITY FULL writes the old row of each UPDATE and DELETE to the WAL; by the server's statistics${inAll}${without}:\n` +
    lines.join('') +
    `  ${colors.dim('--identity default leaves tables with a primary key as they are: "before" then has the key alone.')}\n`
  );
}
