import type { OperationCounts } from '../../api/activity.ts';
import type { ChartLink } from '../elements/chart/chart-series.ts';
import { tableName } from '../entries/table-name.ts';
import type { LogsAddress } from '../logs/logs-address.ts';

export const operationNames = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] as const;

/** Which changes a number counts. */
export interface CountedChanges {
  /** ISO 8601. */
  readonly since: string;
  readonly until: string;
  readonly table?: { readonly schema: string; readonly table: string } | undefined;
  readonly operation?: keyof OperationCounts | undefined;
  readonly actor?: string;
  readonly withoutContext?: boolean;
}

/** To exactly these changes in the log: DDL, which is no change, is left out by naming the operations. */
export function logLink({
  since,
  until,
  table,
  operation,
  actor,
  withoutContext,
}: CountedChanges): ChartLink {
  const search: LogsAddress = {
    ...{ since, until, operation: operation ? [operation] : operationNames },
    ...(table ? { table: [tableName(table.schema, table.table)] } : {}),
    ...(actor === undefined ? {} : { actor }),
    ...(withoutContext ? { withoutContext: 'true' } : {}),
  };
  return { to: '/logs', search };
}
