import { PasswordInput, SimpleGrid, TextInput } from '@mantine/core';

/** Settings as they are written. */
export interface SourceTexts {
  readonly slot: string;
  readonly publication: string;
  readonly bufferSize: string;
  readonly retentionDays: string;
}

interface SettingsFieldsProps {
  readonly value: SourceTexts;
  /** Of a source that has a log. */
  readonly hasLog?: boolean;
  readonly onChange: (value: SourceTexts) => void;
}

export function SettingsFields({ value, hasLog = false, onChange }: SettingsFieldsProps) {
  const field = (name: keyof SourceTexts) => ({
    value: value[name],
    onChange: (event: { readonly currentTarget: { readonly value: string } }) =>
      onChange({ ...value, [name]: event.currentTarget.value }),
    required: true,
    withAsterisk: false,
    autoComplete: 'off',
    spellCheck: false,
  });
  return (
    // Where one description takes two lines, fields beside each other stay on one.
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm" style={{ alignItems: 'end' }}>
      <TextInput
        label="Replication slot"
        description={hasLog ? 'The log goes on through this one' : 'One for each source'}
        {...field('slot')}
      />
      <TextInput
        label="Publication"
        description="Which tables are sent: all, where the worker makes it"
        {...field('publication')}
      />
      <TextInput
        label="Buffer size"
        description="Changes that are stored at once"
        inputMode="numeric"
        {...field('bufferSize')}
      />
      <TextInput
        label="Retention, in days"
        description={hasLog ? 'Fewer than before take bemi retention set' : '2192 are six years'}
        inputMode="numeric"
        {...field('retentionDays')}
      />
    </SimpleGrid>
  );
}

interface ConnectionFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly isRequired?: boolean;
  /** Of what a page is about: the focus is on it at first. */
  readonly isFirst?: boolean;
  readonly description: string;
}

/** Hidden like a password, which is in it; browsers are asked not to keep it. */
export function ConnectionField({
  value,
  onChange,
  isRequired = true,
  isFirst = false,
  description,
}: ConnectionFieldProps) {
  return (
    <PasswordInput
      autoFocus={isFirst}
      label="Connection string"
      description={description}
      placeholder="postgres://bemi_replication:password@your-host:5432/app"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      autoComplete="off"
      spellCheck={false}
      data-1p-ignore
      data-lpignore="true"
      visibilityToggleButtonProps={{ 'aria-label': 'Show the connection string', tabIndex: 0 }}
      required={isRequired}
      withAsterisk={false}
    />
  );
}

/** What the server takes; texts that are no numbers it refuses with the reason. */
export function settingsOf(texts: SourceTexts) {
  const numberOf = (text: string) => (/^\s*\d+\s*$/.test(text) ? Number(text) : text);
  return {
    slot: texts.slot.trim(),
    publication: texts.publication.trim(),
    bufferSize: numberOf(texts.bufferSize),
    retentionDays: numberOf(texts.retentionDays),
  };
}
