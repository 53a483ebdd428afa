import { Anchor } from '@mantine/core';

/** A link that looks like one and does something. */
export function TextButton({
  children,
  onClick,
}: {
  readonly children: string;
  readonly onClick: () => void;
}) {
  return (
    <Anchor component="button" type="button" size="sm" onClick={onClick} ta="start" underline="always">
      {children}
    </Anchor>
  );
}
