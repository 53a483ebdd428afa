import { type Finding, problem, unknown } from '@bemi-db/source/finding';
import { explainError } from '../output/explain-error.ts';

/** What doctor found out about one side, in the order in which it is cured. Good findings are included. */
export interface DoctorSection {
  readonly id: 'source' | 'audit';
  readonly title: string;
  /** What it is connected to; `undefined` where it could not. Without the password. */
  readonly connection: string | undefined;
  readonly findings: readonly Finding[];
  /** 2: no server can cure what is wrong. */
  readonly exitCode: 0 | 1 | 2;
}

export function section(
  side: Pick<DoctorSection, 'id' | 'title'>,
  connection: string,
  findings: readonly Finding[],
): DoctorSection {
  const hasProblem = findings.some(({ verdict }) => verdict === 'failure' || verdict === 'warning');
  return { ...side, connection, findings, exitCode: hasProblem ? 1 : 0 };
}

/** A side that can't be reached: that is the finding, and nothing else is known of it. */
export function unreachable(side: Pick<DoctorSection, 'id' | 'title'>, error: unknown): DoctorSection {
  const { code, message, fix, exitCode } = explainError(error);
  const findings = [
    problem('failure', `${side.id}-connection`, message, code, fix),
    unknown(side.id, 'Nothing else is known of it', 'it could not be looked at'),
  ];
  return { ...side, connection: undefined, findings, exitCode };
}

/** A side of which no connection is configured here: no fault of what is there. */
export function notConfigured(
  side: Pick<DoctorSection, 'id' | 'title'>,
  evidence: string,
  advice: string,
): DoctorSection {
  const findings = [unknown(`${side.id}-connection`, 'It is not looked at', evidence, advice)];
  return { ...side, connection: undefined, findings, exitCode: 0 };
}
