import { Anchor } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type ChartLink, type ChartSeries, numberText } from './chart-series.ts';

interface ChartLegendProps {
  readonly series: readonly ChartSeries[];
  /** Whether the sum of a series means something. */
  readonly isCounted?: boolean;
  linkOf?: ((series: number) => ChartLink | undefined) | undefined;
}

/** Which colour is what, with how much of it there is. */
export function ChartLegend({ series, isCounted = false, linkOf }: ChartLegendProps) {
  return (
    <ul className="chart-legend">
      {series.map(({ name, color, values }, i) => {
        const link = linkOf?.(i);
        return (
          <li key={name}>
            <span className="chart-swatch" style={{ background: color }} />
            {link ? (
              <Anchor component={Link} to={link.to as never} search={link.search as never} size="sm">
                {name}
              </Anchor>
            ) : (
              name
            )}
            {isCounted && (
              <span className="chart-total tabular">
                {numberText(values.reduce<number>((sum, value) => sum + (value ?? 0), 0))}
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
