import { Card, Group, SegmentedControl, Title } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import type { TableActivity } from '../../api/activity.ts';
import { BarChart } from '../elements/chart/bar-chart.tsx';
import type { ChartSeries } from '../elements/chart/chart-series.ts';
import { restColor, seriesColors } from '../elements/chart/chart-series.ts';
import { tableName } from '../entries/table-name.ts';
import { logLink, operationNames } from './log-link.ts';
import type { Parting } from './overview-address.ts';
import { stepText } from './step-text.ts';
import type { CountedActivity } from './use-activity.ts';

const operationColors = {
  INSERT: 'var(--bemi-created)',
  UPDATE: 'var(--bemi-updated)',
  DELETE: 'var(--bemi-deleted)',
  TRUNCATE: 'var(--bemi-doubt)',
} as const;

/** Changes over time, parted by operation or by table. */
export function ChangesCard({ activity, by }: { readonly activity: CountedActivity; readonly by: Parting }) {
  const navigate = useNavigate();
  const { until, step, zone, tables } = activity;
  const times = activity.steps.map((at) => new Date(at));
  const shown = tables.slice(0, seriesColors.length);
  const rest = tables.slice(seriesColors.length);
  const series = by === 'operation' ? operationSeries(activity) : tableSeries(shown, rest);
  return (
    <Card withBorder component="section" aria-labelledby="changes-over-time">
      <Group justify="space-between" gap="xs" mb="sm">
        <Title order={2} size="h4" id="changes-over-time">
          Changes over time
        </Title>
        <SegmentedControl
          size="xs"
          aria-label="Parted by"
          data={[
            { value: 'operation', label: 'By operation' },
            { value: 'table', label: 'By table' },
          ]}
          value={by}
          onChange={(next) =>
            void navigate({
              to: '/overview',
              search: ((known: object) => ({ ...known, by: next === 'table' ? next : undefined })) as never,
              resetScroll: false,
            })
          }
        />
      </Group>
      <BarChart
        label={`Changes by ${by}`}
        times={times}
        until={new Date(until)}
        series={series}
        timeText={(index) => stepText(step, zone, times[index]!, times[index + 1] ?? new Date(until))}
        linkOf={(index, one) => {
          const since = index === undefined ? activity.since : activity.steps[index]!;
          const end = index === undefined ? until : (activity.steps[index + 1] ?? until);
          if (one === undefined) return logLink({ since, until: end });
          if (by === 'operation')
            return logLink({
              since,
              until: end,
              operation: operationNames.find((name) => name === series[one]?.name),
            });
          // All other tables have no one filter.
          return shown[one] && logLink({ since, until: end, table: shown[one] });
        }}
      />
    </Card>
  );
}

/** Those that there are; those that are usual also where there are none. */
function operationSeries({ steps, tables }: CountedActivity): readonly ChartSeries[] {
  return operationNames
    .filter((name) => name !== 'TRUNCATE' || tables.some(({ operations }) => operations.TRUNCATE > 0))
    .map((name) => ({
      name,
      color: operationColors[name],
      values: steps.map((_, i) => tables.reduce((sum, table) => sum + table.steps[i]![name], 0)),
    }));
}

function tableSeries(
  shown: readonly TableActivity[],
  rest: readonly TableActivity[],
): readonly ChartSeries[] {
  const sums = ({ steps }: TableActivity): number[] =>
    steps.map((step) => operationNames.reduce((sum, name) => sum + step[name], 0));
  const series = shown.map((table, i) => ({
    name: tableName(table.schema, table.table),
    color: seriesColors[i]!,
    values: sums(table),
  }));
  if (rest.length === 0) return series;
  const others = rest.map(sums);
  const values = others[0]!.map((_, i) => others.reduce((sum, each) => sum + each[i]!, 0));
  const name = rest.length === 1 ? 'one other table' : `${rest.length} other tables`;
  return [...series, { name, color: restColor, values }];
}
