import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { alertRules } from './alerts/alert-rules.ts';
import { metricsRegistry } from './metrics.ts';

interface Rules {
  readonly groups: readonly { readonly rules: readonly Record<string, unknown>[] }[];
}

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
const rulesText = read('deploy/prometheus/bemi-alerts.yaml');
const dashboardText = read('deploy/grafana/bemi.json');

async function known(): Promise<Set<string>> {
  const metrics = await metricsRegistry([]).getMetricsAsJSON();
  return new Set(metrics.map(({ name }) => name));
}

test.each([
  ['deploy/prometheus/bemi-alerts.yaml', rulesText],
  ['deploy/grafana/bemi.json', dashboardText],
])('%s only asks for metrics that there are', async (_path, text) => {
  const used = [...new Set(text.match(/\b(?:bemi|process)_[a-z_]+/g))];
  expect(used.length).toBeGreaterThan(7);
  const names = await known();
  expect(used.filter((name) => !names.has(name))).toEqual([]);
});

test('the rules for Prometheus are whole', () => {
  const { groups } = parse(rulesText) as Rules;
  const rules = groups.flatMap((group) => group.rules);
  for (const rule of rules) {
    expect(rule).toMatchObject({
      alert: expect.stringMatching(/^Bemi[A-Z]/),
      expr: expect.any(String),
      labels: { severity: expect.stringMatching(/^(warning|critical)$/) },
      annotations: { summary: expect.any(String), description: expect.any(String) },
    });
  }
  expect(rules.length).toBeGreaterThan(alertRules.length);
});

test('every metric of ours is in the dashboard, in a rule, or said in docs/monitoring.md', async () => {
  const documented = read('docs/monitoring.md');
  const ours = [...(await known())].filter((name) => name.startsWith('bemi_'));
  expect(ours.filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
});
