import { Kbd, Table, Title } from '@mantine/core';
import { Dialog } from '../elements/dialog.tsx';
import { useKeyGroups } from '../elements/keyboard.ts';

/** The keys that work on this page. */
export function KeysDialog({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const groups = useKeyGroups();
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title="Keys">
      {groups
        .filter(({ bindings }) => bindings.length > 0)
        .map(({ title, bindings }) => (
          <section key={title}>
            <Title order={3} size="h6" mt="sm">
              {title}
            </Title>
            <Table aria-label={title} withRowBorders={false} verticalSpacing={4}>
              <Table.Tbody>
                {bindings.map(({ key, does }) => (
                  <Table.Tr key={key}>
                    <Table.Td w={110}>
                      {key.split(' ').map((one) => (
                        <Kbd key={one} mr={4}>
                          {keyNames[one] ?? one}
                        </Kbd>
                      ))}
                    </Table.Td>
                    <Table.Td>{does}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </section>
        ))}
    </Dialog>
  );
}

const keyNames: Readonly<Record<string, string>> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
};
