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
  readonly onChange: (value: SourceTexts) => void;
}

export function SettingsFields({ value, onChange }: SettingsFieldsProps) {
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
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
      <TextInput label="Replication slot" description="One for each source" {...field('slot')} />
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
        description="2192 are six years"
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
  readonly description: string;
}

/** Hidden like a password, which is in it; browsers are asked not to keep it. */
export function ConnectionField({ value, onChange, isRequired = true, description }: ConnectionFieldProps) {
  return (
    <PasswordInput
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
