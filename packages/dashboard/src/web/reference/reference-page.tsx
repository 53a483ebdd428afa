import { Anchor, Badge, Button, Code, Skeleton, Text, TextInput, Title } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useDeferredValue, useState } from 'react';
import { request } from '../api/request.ts';
import { useLog } from '../api/use-log.ts';
import { PageHeading } from '../elements/page-heading.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import { type ApiDocument, type ApiRoute, routesByTag } from './api-document.ts';
import { CodeBlock } from './code-block.tsx';
import { RouteReference } from './route-reference.tsx';
import { SchemaReference } from './schema-reference.tsx';
import './reference.css';

/** What the API answers, route by route, from the document that the server makes of itself. */
export function ReferencePage() {
  const { name: log } = useLog();
  const {
    data: document,
    error,
    refetch,
  } = useQuery({
    queryKey: ['openapi'],
    queryFn: ({ signal }) => request<ApiDocument>('/openapi.json', signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [wanted, setWanted] = useState('');
  const text = useDeferredValue(wanted).trim().toLowerCase();
  return (
    <>
      <PageHeading title="API">
        <Button
          component="a"
          href="/api/v1/openapi.json"
          target="_blank"
          rel="noreferrer"
          variant="default"
          size="xs"
          rightSection={<IconExternalLink size={14} aria-hidden />}
        >
          OpenAPI document
        </Button>
      </PageHeading>
      <div className="reference">
        <Introduction />
        <TextInput
          label="Search the routes"
          placeholder="entries, stream, key …"
          value={wanted}
          onChange={({ currentTarget }) => setWanted(currentTarget.value)}
          maw={360}
          mt="lg"
        />
        {error && <ErrorState error={error} onRetry={() => void refetch()} />}
        {!document && !error && <Skeleton h={600} mt="lg" role="status" aria-label="Loading" />}
        {document && <Routes document={document} text={text} log={log} />}
      </div>
    </>
  );
}

function Introduction() {
  return (
    <section aria-labelledby="how-to-ask">
      <Title order={2} size="h4" id="how-to-ask" mb="xs">
        How to ask
      </Title>
      <Text mb="xs">
        With an API key, which an admin makes. It has a role and perhaps a list of tables, and sees nothing
        else. In this browser the links here ask as you.
      </Text>
      <CodeBlock
        name="a request with a key"
        code={`export KEY=bemi_ak_…\ncurl '${location.origin}/api/v1/logs' -H "Authorization: Bearer $KEY"`}
      />
      <ul>
        <li>
          <strong>Pages</strong> come by key: give <Code>next</Code> of an answer as <Code>before</Code> of
          the next request (as <Code>after</Code>, with <Code>order=oldest-first</Code>). While{' '}
          <Code>end</Code> is <Code>page-full</Code> or <Code>budget</Code> there may be more.
        </li>
        <li>
          <strong>Numbers</strong> in rows are exact in the answer’s text. JavaScript’s{' '}
          <Code>JSON.parse</Code> rounds those beyond 2<sup>53</sup>: <Code>values=text</Code> gives rows as
          texts of JSON. Sequences are texts anyway.
        </li>
        <li>
          <strong>Times</strong> are ISO 8601 in UTC, with microseconds.
        </li>
        <li>
          <strong>What goes wrong</strong> has a stable <Code>code</Code>, a message and often a{' '}
          <Code>fix</Code>: see{' '}
          <Anchor href="#schema-Problem" underline="always">
            Problem
          </Anchor>
          .
        </li>
      </ul>
    </section>
  );
}

function Routes({
  document,
  text,
  log,
}: {
  readonly document: ApiDocument;
  readonly text: string;
  readonly log: string | undefined;
}) {
  const tags = [...routesByTag(document)]
    .map(([tag, routes]) => ({ tag, routes: routes.filter((route) => isMeant(route, tag, text)) }))
    .filter(({ routes }) => routes.length > 0);
  if (tags.length === 0)
    return <EmptyState title="No route has this in its name or description">Search for less.</EmptyState>;
  return (
    <>
      {tags.map(({ tag, routes }) => (
        <section key={tag} aria-label={tag}>
          <Title order={2} size="h4" mt="lg" mb="xs">
            {tag}
          </Title>
          {routes.map((route) => (
            <Folded key={route.id} id={route.id} summary={<RouteSummary route={route} />}>
              <RouteReference document={document} route={route} log={log} />
            </Folded>
          ))}
        </section>
      ))}
      <section aria-label="Schemas">
        <Title order={2} size="h4" mt="lg" mb="xs">
          Schemas
        </Title>
        {Object.entries(document.components?.schemas ?? {}).map(([name, schema]) => (
          <Folded key={name} id={`schema-${name}`} summary={<strong>{name}</strong>}>
            <SchemaReference schema={schema} />
          </Folded>
        ))}
      </section>
    </>
  );
}

function RouteSummary({ route: { method, path, operation } }: { readonly route: ApiRoute }) {
  return (
    <>
      <Badge variant="default" radius="sm" mr={8} miw={64}>
        {method}
      </Badge>
      <span className="route-path">{path}</span>
      <Text span inherit c="dimmed" className="route-summary">
        {operation.summary}
      </Text>
    </>
  );
}

/** Open where the address leads to it. */
function Folded({
  id,
  summary,
  children,
}: {
  readonly id: string;
  readonly summary: ReactNode;
  readonly children: ReactNode;
}) {
  const [isOpen, setOpen] = useState(() => location.hash === `#${id}`);
  return (
    <details
      id={id}
      className="folded"
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>{summary}</summary>
      {isOpen && <div className="folded-content">{children}</div>}
    </details>
  );
}

function isMeant({ method, path, operation }: ApiRoute, tag: string, text: string): boolean {
  const said = [method, path, tag, operation.summary, operation.description, operation['x-permission']];
  return said.join(' ').toLowerCase().includes(text);
}
