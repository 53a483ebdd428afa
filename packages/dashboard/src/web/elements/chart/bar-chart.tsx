import { Stack } from '@mantine/core';
import { type ChartArea, ChartFrame, type ChartScales } from './chart-frame.tsx';
import { ChartLegend } from './chart-legend.tsx';
import { type ChartLink, type ChartSeries, numberText } from './chart-series.ts';
import { ChartTable } from './chart-table.tsx';

export interface BarChartProps {
  /** What is drawn: `Changes by operation`. */
  readonly label: string;
  /** When each step begins, in their order, at least one. */
  readonly times: readonly Date[];
  /** Where the last step ends. */
  readonly until: Date;
  /** Stacked, the first at the bottom. Counts. */
  readonly series: readonly ChartSeries[];
  readonly height?: number;
  /** What a step is called. */
  timeText(index: number): string;
  /** Where a bar leads: all of it, one series of it, or, without a step, an entry of the legend. */
  linkOf?(step: number | undefined, series?: number): ChartLink | undefined;
}

/** Counts by time, stacked, with their legend and the same numbers as a table. */
export function BarChart(props: BarChartProps) {
  const { times, until, series, linkOf } = props;
  const totals = times.map((_, i) => series.reduce((sum, { values }) => sum + (values[i] ?? 0), 0));
  const widthOf = (index: number, { x }: ChartScales): readonly [left: number, width: number] => {
    const [from, to] = [x(times[index]!), x(times[index + 1] ?? until)];
    const gap = to - from > 4 ? 1 : 0;
    return [from + gap / 2, Math.max(to - from - gap, 0.5)];
  };
  const segments = (
    index: number,
    { y }: ChartScales,
  ): readonly (readonly [top: number, bottom: number])[] => {
    let below = 0;
    return series.map(({ values }) => {
      const bottom = y(below);
      below += values[index] ?? 0;
      return [y(below), bottom];
    });
  };
  const areaAt = (index: number, at: number, scales: ChartScales): ChartArea => {
    const [left, width] = widthOf(index, scales);
    const parts = segments(index, scales);
    const found = parts.findIndex(([top, bottom]) => at >= top && at <= bottom && bottom - top >= 1);
    const [top, bottom] = parts[found] ?? [0, scales.height];
    return { series: found < 0 ? undefined : found, left, width, top, height: bottom - top };
  };
  return (
    <Stack gap="xs">
      <ChartFrame
        {...props}
        kind="steps"
        isWhole
        greatest={Math.max(...totals)}
        totalText={(index) => (series.length > 1 ? numberText(totals[index]!) : undefined)}
        areaAt={areaAt}
        marks={(scales, read) => (
          <>
            {read !== undefined && (
              <rect
                className="chart-cursor"
                x={scales.x(times[read]!)}
                width={Math.max(scales.x(times[read + 1] ?? until) - scales.x(times[read]!), 1)}
                height={scales.height}
              />
            )}
            {times.map((at, index) => {
              if (totals[index] === 0) return null;
              const [left, width] = widthOf(index, scales);
              return segments(index, scales).map(([top, bottom], i) => {
                // A thin line between two parts, where there is room for it.
                const height = bottom - top > 3 && i > 0 ? bottom - top - 1 : bottom - top;
                return height > 0 ? (
                  <rect
                    key={`${at.getTime()} ${series[i]!.name}`}
                    {...{ x: left, y: top, width, height, fill: series[i]!.color }}
                  />
                ) : null;
              });
            })}
          </>
        )}
      />
      <ChartLegend series={series} linkOf={linkOf && ((index) => linkOf(undefined, index))} isCounted />
      <ChartTable {...props} />
    </Stack>
  );
}
