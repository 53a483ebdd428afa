import { Anchor, Card, Stack, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { LogHealth } from '../../api/health.ts';
import { healthSentence } from './health-words.ts';
import { SentenceLine } from './sentence-line.tsx';

/** How the sources that the page is not about are doing. */
export function OtherLogs({ logs }: { readonly logs: readonly LogHealth[] }) {
  if (logs.length === 0) return null;
  return (
    <Card withBorder component="section" aria-labelledby="other-sources">
      <Title order={2} size="h4" id="other-sources" mb="xs">
        Other sources
      </Title>
      <Stack component="ul" gap={0} p={0} m={0} className="health-list">
        {logs.map((log) => (
          <li key={log.name}>
            <Anchor
              component={Link}
              to="/health"
              search={((known: object) => ({ ...known, log: log.name })) as never}
              style={{ overflowWrap: 'anywhere' }}
            >
              {log.name}
            </Anchor>
            <SentenceLine sentence={healthSentence(log)} />
          </li>
        ))}
      </Stack>
    </Card>
  );
}
