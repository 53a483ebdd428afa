import { bytesText } from '@bemi-db/source/bytes-text';
import { SimpleGrid, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { HealthSample, HealthSeries } from '../../api/health.ts';
import { BarChart } from '../elements/chart/bar-chart.tsx';
import { LineChart } from '../elements/chart/line-chart.tsx';
import { type HealthRange, healthRanges } from './health-address.ts';
import { byteUnit, type SteppedSamples, steppedSamples } from './health-series.ts';

interface HealthChartsProps {
  readonly series: HealthSeries;
  readonly range: HealthRange;
}

const chartHeight = 140;

/** What a source's recording has been like. */
export function HealthCharts({ series, range }: HealthChartsProps) {
  if (series.samples.length === 0)
    return (
      <Text size="sm" c="dimmed">
        In the last {healthRanges[range].label} no worker has said what it saw. Choose a longer time, or start
        a worker.
      </Text>
    );
  const stepped = steppedSamples(series);
  return (
    <Stack gap="lg">
      <Chart title="Changes recorded">
        <Throughput {...stepped} />
      </Chart>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg" verticalSpacing="lg">
        <Chart title="WAL not recorded yet">
          <Bytes
            {...stepped}
            label="WAL not recorded yet"
            color="var(--bemi-chart-2)"
            of={({ lagBytes }) => lagBytes}
          />
        </Chart>
        <Chart title="WAL that the source retains">
          <Bytes
            {...stepped}
            label="WAL that the source retains"
            color="var(--bemi-chart-3)"
            of={({ retainedBytes }) => retainedBytes}
          />
        </Chart>
      </SimpleGrid>
    </Stack>
  );
}

function Chart({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section>
      <Title order={3} size="h5" mb={4}>
        {title}
      </Title>
      {children}
    </section>
  );
}

function Throughput({ times, until, samples }: SteppedSamples) {
  return (
    <BarChart
      label="Changes recorded"
      {...{ times, until, height: chartHeight }}
      timeText={(index) => stepText(times, until, index)}
      series={[
        {
          name: 'Changes',
          color: 'var(--bemi-chart-1)',
          values: samples.map((sample) => (sample ? Number(sample.changes) : null)),
        },
      ]}
    />
  );
}

interface BytesProps extends SteppedSamples {
  readonly label: string;
  readonly color: string;
  of(sample: HealthSample): string | null;
}

/** The most of each step. */
function Bytes({ times, until, samples, label, color, of }: BytesProps) {
  const values = samples.map((sample) => {
    const bytes = sample ? of(sample) : null;
    return bytes === null ? null : Number(bytes);
  });
  const unit = byteUnit(Math.max(0, ...values.map((value) => value ?? 0)));
  return (
    <LineChart
      {...{ label, times, until, height: chartHeight }}
      timeText={(index) => stepText(times, until, index)}
      valueText={(value) => bytesText(Math.round(value * unit.bytes))}
      tickValueText={(value) => `${value.toLocaleString()} ${unit.name}`}
      series={[
        {
          name: 'At most',
          color,
          values: values.map((value) => (value === null ? null : value / unit.bytes)),
        },
      ]}
    />
  );
}

const day = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' });
const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

function stepText(times: readonly Date[], until: Date, index: number): string {
  const [from, to] = [times[index]!, times[index + 1] ?? until];
  return `${day.format(from)}, ${time.format(from)} – ${time.format(to)}`;
}
