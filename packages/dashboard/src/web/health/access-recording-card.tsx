import { Card, Title } from '@mantine/core';
import type { Health } from '../../api/health.ts';
import type { HealthSentence } from './health-words.ts';
import { SentenceLine } from './sentence-line.tsx';

/** Whether it is recorded who looks at the trail. */
export function AccessRecordingCard({ state, problem }: NonNullable<Health['accesses']>) {
  return (
    <Card withBorder component="section" aria-labelledby="accesses">
      <Title order={2} size="h4" id="accesses" mb="xs">
        Log of accesses
      </Title>
      <SentenceLine sentence={sentenceOf(state, problem)} />
    </Card>
  );
}

function sentenceOf(
  state: NonNullable<Health['accesses']>['state'],
  problem: NonNullable<Health['accesses']>['problem'],
): HealthSentence {
  if (state === 'recording') return { tone: 'good', text: 'Who looks at the trail is recorded' };
  if (state === 'starting') return { tone: 'good', text: 'Nobody’s access waits to be recorded' };
  if (state === 'standby') return { tone: 'attention', text: 'A standby waits to record accesses' };
  return {
    tone: 'bad',
    text: `Accesses wait to be recorded: ${problem?.message ?? problem?.code ?? state}`,
    fix: problem?.fix ?? 'The worker’s own log says why. What waits is kept in the inbox.',
  };
}
