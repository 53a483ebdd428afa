import { Group, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';

interface PageHeadingProps {
  /** Of the page, also on the browser's tab. */
  readonly title: string;
  /** On the same line, at its end. */
  readonly children?: ReactNode;
}

/** The one first heading of a page. Who navigates finds the focus on it: a screen reader says where one is. */
export function PageHeading({ title, children }: PageHeadingProps) {
  useEffect(() => {
    document.title = `${title} · Bemi`;
  }, [title]);
  return (
    <Group justify="space-between" align="center" mb="md" gap="xs" mih={36}>
      <Title order={1} size="h3" tabIndex={-1} className="page-heading" style={{ overflowWrap: 'anywhere' }}>
        {title}
      </Title>
      {children}
    </Group>
  );
}
