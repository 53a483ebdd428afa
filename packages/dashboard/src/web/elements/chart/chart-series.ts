/** What is drawn in one colour: a value for each time of the chart. */
export interface ChartSeries {
  readonly name: string;
  /** A CSS variable of page.css, such as `var(--bemi-chart-1)`: one that is seen in light and in dark. */
  readonly color: string;
  /** `null` where it is not known. */
  readonly values: readonly (number | null)[];
}

/** Where a bar, or an entry of a legend, leads. */
export interface ChartLink {
  readonly to: string;
  readonly search: object;
}

/** Colours for series that mean nothing by themselves, such as tables. */
export const seriesColors: readonly string[] = [1, 2, 3, 4, 5, 6, 7].map(
  (number) => `var(--bemi-chart-${number})`,
);

/** For what is none of the others. */
export const restColor = 'var(--bemi-chart-rest)';

/** A number in the reader's language, whole. */
export function numberText(value: number): string {
  return value.toLocaleString();
}
