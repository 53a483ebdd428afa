import { Anchor, Code, Text } from '@mantine/core';
import { type ApiSchema, referredName, schemaText } from './api-document.ts';
import { Sentence } from './sentence.tsx';

/** The members of an object; of anything else what it may be. */
export function SchemaReference({ schema }: { readonly schema: ApiSchema }) {
  if (!schema.properties)
    return (
      <Text>
        {(schema.oneOf ?? schema.anyOf) ? 'One of: ' : ''}
        <SchemaName schema={schema} />
      </Text>
    );
  return (
    <table className="members" aria-label="Members">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Value</th>
          <th scope="col">Meaning</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(schema.properties).map(([name, member]) => (
          <tr key={name}>
            <th scope="row">
              <Code>{name}</Code>
              {!schema.required?.includes(name) && <span className="place"> may be absent</span>}
            </th>
            <td>
              <SchemaName schema={member} />
            </td>
            <td>
              <Sentence text={member.description ?? member.items?.description ?? ''} />
              {typeof member.example === 'string' && (
                <>
                  {' '}
                  Such as <Code>{member.example}</Code>
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What a value may be; the names of schemas lead to them. */
export function SchemaName({ schema }: { readonly schema: ApiSchema }) {
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices?.some((each) => referredName(each) !== undefined))
    return choices.map((each, index) => (
      <span key={schemaText(each)}>
        {index > 0 && ' or '}
        <SchemaName schema={each} />
      </span>
    ));
  const name = referredName(schema);
  const itemName = schema.items && referredName(schema.items);
  if (name !== undefined) return <SchemaLink name={name} />;
  if (itemName !== undefined)
    return (
      <>
        list of <SchemaLink name={itemName} />
      </>
    );
  return schemaText(schema);
}

function SchemaLink({ name }: { readonly name: string }) {
  return (
    <Anchor
      href={`#schema-${name}`}
      inherit
      underline="always"
      onClick={() => {
        const folded = document.querySelector<HTMLDetailsElement>(`#schema-${CSS.escape(name)}`);
        if (folded) folded.open = true;
      }}
    >
      {name}
    </Anchor>
  );
}
