import { Anchor, Code, Text } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { type ApiDocument, type ApiParameter, type ApiRoute, contentOf } from './api-document.ts';
import { curlCommand, eventSourceExample, exampleAddress } from './api-example.ts';
import { CodeBlock } from './code-block.tsx';
import { SchemaName, SchemaReference } from './schema-reference.tsx';
import { Sentence } from './sentence.tsx';

interface RouteReferenceProps {
  readonly document: ApiDocument;
  readonly route: ApiRoute;
  readonly log: string | undefined;
}

/** What a route takes, answers and asks for, and how to ask it. */
export function RouteReference({ document, route, log }: RouteReferenceProps) {
  const { method, operation } = route;
  const address = exampleAddress(route, log);
  const body = contentOf(operation.requestBody?.content)?.schema;
  const answers = Object.entries(operation.responses ?? {});
  const isStream = contentOf(operation.responses?.['200']?.content)?.type === 'text/event-stream';
  const permission = operation['x-permission'];
  return (
    <>
      {operation.description !== undefined && (
        <Text mb="xs">
          <Sentence text={operation.description} />
        </Text>
      )}
      {permission !== undefined && (
        <Text mb="xs">
          {permission === 'public' ? (
            'For everybody, also without signing in.'
          ) : (
            <>
              Asks for the permission <Code>{permission}</Code>.
            </>
          )}
        </Text>
      )}
      {operation.parameters && operation.parameters.length > 0 && (
        <Parameters parameters={operation.parameters} />
      )}
      {body && (
        <>
          <h3>Body</h3>
          <SchemaReference schema={body} />
        </>
      )}
      <h3>Answers</h3>
      <ul className="answers">
        {answers.map(([status, { description, content }]) => {
          const answer = contentOf(content);
          return (
            <li key={status}>
              <Code>{status}</Code> {description}
              {answer?.schema && (
                <>
                  {': '}
                  {answer.type === 'application/json' ? (
                    <SchemaName schema={answer.schema} />
                  ) : (
                    <Code>{answer.type}</Code>
                  )}
                </>
              )}
            </li>
          );
        })}
      </ul>
      <h3>Example</h3>
      <CodeBlock
        name={`the command for ${method} ${route.path}`}
        code={curlCommand(document, route, location.origin, log)}
      />
      {isStream && address !== undefined && (
        <>
          <Text my="xs">In a page, or with a package for EventSource elsewhere:</Text>
          <CodeBlock name="the EventSource" code={eventSourceExample(address)} />
        </>
      )}
      {method === 'GET' && address !== undefined && !isStream && (
        <Anchor href={address} target="_blank" rel="noreferrer" size="sm">
          Ask it now, as you <IconExternalLink size={12} aria-hidden />
        </Anchor>
      )}
    </>
  );
}

function Parameters({ parameters }: { readonly parameters: readonly ApiParameter[] }) {
  return (
    <>
      <h3>Parameters</h3>
      <table className="members" aria-label="Parameters">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Value</th>
            <th scope="col">Meaning</th>
          </tr>
        </thead>
        <tbody>
          {parameters.map(({ name, in: place, required, description, schema }) => (
            <tr key={`${place} ${name}`}>
              <th scope="row">
                <Code>{name}</Code>
                {required === true && ' needed'}
                {place !== 'query' && <span className="place"> in the {place}</span>}
              </th>
              <td>{schema && <SchemaName schema={schema} />}</td>
              <td>
                <Sentence text={description ?? schema?.description ?? ''} />
                {schema?.default !== undefined && (
                  <>
                    {' '}
                    Without it: <Code>{String(schema.default)}</Code>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
