import { Select, Textarea } from '@mantine/core';
import { type Role, roles } from '../../api/permission.ts';

/** What somebody may do, as a form has it. */
export interface Rights {
  readonly role: Role;
  /** Patterns, a line each; empty for all tables. */
  readonly tables: string;
}

export const fewestRights: Rights = { role: 'viewer', tables: '' };

/** In words, for whoever gives them. */
export const roleWords: Readonly<Record<Role, string>> = {
  viewer: 'reads changes',
  auditor: 'reads and exports changes, verifies, sees who looked at what',
  operator: 'keeps Bemi running, sees nobody’s data',
  admin: 'may do everything',
};

/** As the API takes them. */
export function patternsOf({ role, tables }: Rights): string[] | null {
  const patterns = tables.split(/[\n,]/).map((text) => text.trim());
  const wanted = patterns.filter((text) => text !== '');
  return role === 'admin' || wanted.length === 0 ? null : wanted;
}

interface RightsFieldsProps {
  readonly value: Rights;
  readonly onChange: (rights: Rights) => void;
}

export function RightsFields({ value, onChange }: RightsFieldsProps) {
  return (
    <>
      <Select
        label="Role"
        description={roleWords[value.role]}
        data={[...roles]}
        value={value.role}
        allowDeselect={false}
        onChange={(role) => onChange({ ...value, role: role as Role })}
      />
      {value.role !== 'admin' && (
        <Textarea
          label="Tables"
          description="A pattern a line, such as public.* or *.Patient. Empty: all tables."
          autosize
          minRows={2}
          value={value.tables}
          onChange={(event) => onChange({ ...value, tables: event.currentTarget.value })}
        />
      )}
    </>
  );
}
