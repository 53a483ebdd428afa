import { Stack } from '@mantine/core';
import { ChartFrame, type ChartScales } from './chart-frame.tsx';
import { ChartLegend } from './chart-legend.tsx';
import type { ChartSeries } from './chart-series.ts';
import { ChartTable } from './chart-table.tsx';
import { knownRuns } from './known-runs.ts';

export interface LineChartProps {
  /** What is drawn: `Lag`. */
  readonly label: string;
  readonly times: readonly Date[];
  /** Where the axis of times ends. */
  readonly until: Date;
  readonly series: readonly ChartSeries[];
  readonly height?: number;
  timeText(index: number): string;
  valueText?(value: number): string;
  tickValueText?(value: number): string;
}

/** Values at times, with the same numbers as a table. Where nothing is known there is no line. */
export function LineChart(props: LineChartProps) {
  const { times, series } = props;
  const greatest = Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const point = ({ values }: ChartSeries, index: number, { x, y }: ChartScales): string =>
    `${x(times[index]!).toFixed(1)} ${y(values[index]!).toFixed(1)}`;
  return (
    <Stack gap="xs">
      <ChartFrame
        {...props}
        kind="samples"
        greatest={greatest}
        marks={(scales, read) => (
          <>
            {read !== undefined && (
              <rect
                className="chart-cursor"
                x={scales.x(times[read]!) - 1}
                width={2}
                height={scales.height}
              />
            )}
            {series.map((each) =>
              knownRuns(each.values).map((run) => (
                // A single value is a dot: a line that ends where it begins, with round ends.
                <path
                  key={`${each.name} ${run[0]}`}
                  d={`M${run.map((index) => point(each, index, scales)).join('L')}${run.length === 1 ? 'h0' : ''}`}
                  className="chart-curve"
                  stroke={each.color}
                  strokeWidth={run.length === 1 ? 5 : 2}
                />
              )),
            )}
            {series.map((each) =>
              read === undefined || each.values[read] === null || each.values[read] === undefined ? null : (
                <circle
                  key={each.name}
                  cx={scales.x(times[read]!)}
                  cy={scales.y(each.values[read])}
                  r={3.5}
                  fill={each.color}
                />
              ),
            )}
          </>
        )}
      />
      {series.length > 1 && <ChartLegend series={series} />}
      <ChartTable {...props} />
    </Stack>
  );
}
