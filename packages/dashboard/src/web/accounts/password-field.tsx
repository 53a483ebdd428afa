import { PasswordInput } from '@mantine/core';

interface PasswordFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** A new one is kept by the browser's own store, an old one filled in from there. */
  readonly isNew?: boolean;
  readonly description?: string;
  readonly autoFocus?: boolean;
}

export function PasswordField({ label, value, onChange, isNew = false, ...others }: PasswordFieldProps) {
  return (
    <PasswordInput
      label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      autoComplete={isNew ? 'new-password' : 'current-password'}
      visibilityToggleButtonProps={{ 'aria-label': `Show: ${label}`, tabIndex: 0 }}
      required
      withAsterisk={false}
      {...others}
    />
  );
}
