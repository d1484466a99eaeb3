import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';

/** Deletes the consumer groups whose names are chosen. */
export async function deleteGroups(
  admin: KafkaAdmin,
  isChosen: (group: string) => boolean,
): Promise<void> {
  const { groups } = await admin.listGroups();
  const chosen = groups.map(({ groupId }) => groupId).filter(isChosen);
  if (chosen.length === 0) return;
  try {
    await admin.deleteGroups(chosen);
  } catch (error) {
    const failures = (error as { groups?: { error: { type: string } }[] }).groups ?? [];
    const haveDeadMembers =
      failures.length > 0 && failures.every(group => group.error.type === 'NON_EMPTY_GROUP');
    // Kafka drops the member of a service that was killed, and then the group, whose topics are
    // gone, when the session of that member has timed out.
    if (!haveDeadMembers) throw error;
  }
}
