import { labelledLines } from '../output/labelled-lines.ts';
import type { TextStyle } from '../presentation/text-style.ts';

/** Where everything is. */
export interface DemoAddresses {
  readonly dashboardUrl: string;
  readonly clinicUrl: string;
  readonly sourceUrl: string;
  readonly auditUrl: string;
}

/** A line to paste into a POSIX shell: changes a patient who exists, whoever that is by then. */
export const directSqlCommand =
  'npx bemi demo sql ' +
  `"update \\"Patient\\" set address = 'Changed' where id = (select min(id) from \\"Patient\\")"`;

/** What the start of the demo ends with. */
export function welcomeText(
  { dashboardUrl, clinicUrl, sourceUrl, auditUrl }: DemoAddresses,
  style: TextStyle,
): string {
  const { bold, cyan, green } = style.colors;
  const rows = [
    ['The dashboard', bold(dashboardUrl)],
    ['The clinic', `${clinicUrl}/patients`],
    ['Source database', sourceUrl],
    ['Audit database', auditUrl],
  ] as const;
  return `
${green('●')} ${bold('The clinic is open, and every change of its database is recorded.')} Ctrl-C stops and deletes it all.

${labelledLines(rows, style)}
  Now change a record behind the application's back, in another terminal in this folder:

${cyan(directSqlCommand)}

  And tamper with what was recorded, as somebody could who controls the audit database:

${cyan('npx bemi demo tamper')}

`;
}
