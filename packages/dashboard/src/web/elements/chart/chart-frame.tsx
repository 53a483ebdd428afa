import { useElementSize } from '@mantine/hooks';
import { Link, useNavigate } from '@tanstack/react-router';
import { scaleLinear, scaleTime } from 'd3-scale';
import { type KeyboardEvent, type PointerEvent, type ReactNode, useState } from 'react';
import type { ChartLink, ChartSeries } from './chart-series.ts';
import { numberText } from './chart-series.ts';
import { apartTicks, tickText, timeAt } from './time-axis.ts';
import './chart.css';

/** Pixels of a moment and of a value, from the plot's left and top edge. */
export interface ChartScales {
  x(at: Date): number;
  y(value: number): number;
  readonly width: number;
  readonly height: number;
}

/** A part of the plot that the pointer is on. */
export interface ChartArea {
  /** Which series it is of; `undefined`: the whole time. */
  readonly series: number | undefined;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface ChartFrameProps {
  /** What is drawn: `Changes by operation`. */
  readonly label: string;
  /** Of each value, in their order, at least one. */
  readonly times: readonly Date[];
  /** Where the axis of times ends. */
  readonly until: Date;
  readonly series: readonly ChartSeries[];
  /** The greatest value that has to have room. */
  readonly greatest: number;
  /** Whether a time is a step, up to the next one, or a moment. */
  readonly kind: 'steps' | 'samples';
  /** Of the plot, without its axes. */
  readonly height?: number;
  /** What a time is called when it is read: `Mon 22 Nov, 14:00 – 15:00`. */
  timeText(index: number): string;
  /** Default: a whole number. */
  valueText?(value: number): string;
  /** On the axis, where there is little room. Default: `12K`. */
  tickValueText?(value: number): string;
  /** Whether there is nothing between two whole values. */
  readonly isWhole?: boolean;
  /** Read after the series' values: `412 in all`. `undefined`: there is nothing to add up. */
  totalText?(index: number): string | undefined;
  /** Where a time leads, or one series at that time. */
  linkOf?(index: number, series?: number): ChartLink | undefined;
  /** What of the plot stands at a time and a height. */
  areaAt?(index: number, y: number, scales: ChartScales): ChartArea;
  /** Draws the values. */
  marks(scales: ChartScales, read: number | undefined): ReactNode;
}

const left = 52;
const right = 8;
const top = 8;
const bottom = 24;
/** About as far from each other as marks of the time axis should be, and as they must be. */
const pixelsOfTick = 72;
const leastPixels = 46;
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });

/**
 * Axes of time and value, and what is between them to be read: by the pointer, and by the keyboard, as a slider whose value is
 * what the chart says of a time. Its height is known before its width is, so nothing below it moves.
 */
export function ChartFrame(props: ChartFrameProps) {
  const { times, until, greatest, height = 200, linkOf, marks } = props;
  const { ref, width: whole } = useElementSize<HTMLDivElement>();
  const [read, setRead] = useState<{ index: number; y?: number }>();
  const width = Math.max(whole - left - right, 0);
  const x = scaleTime([times[0]!, until], [0, width]);
  const y = scaleLinear([0, greatest > 0 ? greatest : 1], [height, 0]).nice(4);
  /** Of a mark's text, all of which is within the plot. */
  const markAt = (at: Date): number => Math.min(Math.max(x(at), 12), width - 16);
  const scales: ChartScales = { x: (at) => x(at), y: (value) => y(value), width, height };
  const values = y.ticks(4).filter((value) => !props.isWhole || Number.isInteger(value));
  const index = read && Math.min(read.index, times.length - 1);
  const area = read?.y === undefined ? undefined : props.areaAt?.(index!, read.y, scales);
  const link = area && linkOf?.(index!, area.series);
  const onPointer = (event: PointerEvent<HTMLDivElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = x.invert(event.clientX - box.left - left).getTime();
    setRead({ index: timeAt(times, at, props.kind), y: event.clientY - box.top - top });
  };
  return (
    <div
      ref={ref}
      className="chart"
      style={{ height: height + top + bottom }}
      onPointerMove={onPointer}
      onPointerDown={onPointer}
      onPointerLeave={() => setRead(undefined)}
    >
      {width > 0 && (
        <svg width={whole} height={height + top + bottom} aria-hidden="true">
          <g transform={`translate(${left} ${top})`}>
            {values.map((value) => (
              <g key={value} transform={`translate(0 ${y(value)})`}>
                <line x2={width} className="chart-line" />
                <text x={-8} dy="0.32em" textAnchor="end">
                  {(props.tickValueText ?? compact.format)(value)}
                </text>
              </g>
            ))}
            {apartTicks(x.ticks(Math.max(Math.floor(width / pixelsOfTick), 2)), markAt, leastPixels).map(
              (at) => (
                <text key={at.getTime()} x={markAt(at)} y={height + 18} textAnchor="middle">
                  {tickText(at)}
                </text>
              ),
            )}
            {marks(scales, index)}
          </g>
        </svg>
      )}
      <Reading
        {...props}
        index={index}
        style={{ left: left - 4, right: right - 4, top: top - 4, height: height + 8 }}
        onRead={(next) => setRead(next === undefined ? undefined : { index: next })}
      />
      {link && area && (
        <Link
          to={link.to as never}
          search={link.search as never}
          className="chart-hit"
          tabIndex={-1}
          aria-hidden
          style={{ left: left + area.left, top: top + area.top, width: area.width, height: area.height }}
        />
      )}
      {index !== undefined && width > 0 && <Readout {...props} index={index} scales={scales} />}
    </div>
  );
}

interface ReadingProps extends ChartFrameProps {
  readonly index: number | undefined;
  readonly style: object;
  onRead(index: number | undefined): void;
}

/** What keys read. */
function Reading({ index, style, onRead, ...props }: ReadingProps) {
  const { times, label, linkOf } = props;
  const navigate = useNavigate();
  const last = times.length - 1;
  const onKey = (event: KeyboardEvent<HTMLDivElement>): void => {
    const at = index ?? last;
    const steps: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      PageUp: at + 10,
      PageDown: at - 10,
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    const link = event.key === 'Enter' ? linkOf?.(at) : undefined;
    if (next === undefined && !link) return;
    event.preventDefault();
    if (link) void navigate({ to: link.to, search: link.search as never });
    else onRead(Math.min(Math.max(next!, 0), last));
  };
  const now = index ?? last;
  return (
    <div
      role="slider"
      tabIndex={0}
      className="chart-reading"
      style={style}
      aria-label={linkOf ? `${label}: Enter leads into the log` : label}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={now}
      aria-valuetext={[props.timeText(now), ...readTexts(props, now)].join(', ')}
      onKeyDown={onKey}
      onFocus={() => index === undefined && onRead(last)}
      onBlur={() => onRead(undefined)}
    />
  );
}

interface ReadoutProps extends ChartFrameProps {
  readonly index: number;
  readonly scales: ChartScales;
}

/** What is read, beside the place that it is read at. */
function Readout({ index, scales, ...props }: ReadoutProps) {
  const { times, until } = props;
  const read = readings(props, index);
  const from = scales.x(times[index]!);
  const to = props.kind === 'steps' ? scales.x(times[index + 1] ?? until) : from;
  const isRight = from > scales.width / 2;
  return (
    <div
      className="chart-readout"
      aria-hidden
      style={isRight ? { right: right + scales.width - from + 8 } : { left: left + to + 8 }}
    >
      <strong>{props.timeText(index)}</strong>
      <table>
        <tbody>
          {read.map(([name, text, color]) => (
            <tr key={name}>
              <td>
                {color !== undefined && <span className="chart-swatch" style={{ background: color }} />}
                {name}
              </td>
              <td className="tabular">{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {read.length === 0 && unknown}
    </div>
  );
}

const unknown = 'not known';

function readTexts(props: ChartFrameProps, index: number): readonly string[] {
  const read = readings(props, index);
  return read.length === 0 ? [unknown] : read.map(([name, text]) => `${name} ${text}`);
}

/** Names and values at a time. What is 0 is left out where others are not. */
function readings(
  { series, valueText = numberText, totalText }: ChartFrameProps,
  index: number,
): [name: string, text: string, color: string | undefined][] {
  const known = series.filter(({ values }) => values[index] !== null && values[index] !== undefined);
  const some = known.filter(({ values }) => values[index] !== 0);
  const total = totalText?.(index);
  return [
    ...(some.length > 0 || total !== undefined ? some : known).map(
      ({ name, color, values }): [string, string, string] => [name, valueText(values[index]!), color],
    ),
    ...(total === undefined ? [] : [['in all', total, undefined] as [string, string, undefined]]),
  ];
}
