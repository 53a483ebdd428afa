import { CloseButton, Group, Modal, Title } from '@mantine/core';
import type { ReactNode } from 'react';

interface DialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A dialog whose heading is one: Mantine's own is in a `header`, which is a second banner of the page. */
export function Dialog({ title, isOpen, onClose, children }: DialogProps) {
  return (
    <Modal.Root opened={isOpen} onClose={onClose}>
      <Modal.Overlay />
      <Modal.Content aria-label={title}>
        <Group justify="space-between" wrap="nowrap" px="md" pt="md" pb="sm">
          <Title order={2} size="h4" style={{ overflowWrap: 'anywhere' }}>
            {title}
          </Title>
          <CloseButton aria-label="Close" onClick={onClose} />
        </Group>
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
