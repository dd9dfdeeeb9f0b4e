// SPDX-License-Identifier: Apache-2.0
// The control plane's part of the long way, by the AWS SDK for JavaScript; see node_walk.
import assert from 'node:assert/strict';
import * as rds from '@aws-sdk/client-rds';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

const endpoint = process.env.AWS_ENDPOINT_URL;
const region = process.env.AWS_REGION;
const client = new rds.RDSClient({ endpoint, region });
const send = (name, input) => client.send(new rds[`${name}Command`](input));
const available = { client, minDelay: 1, maxDelay: 1, maxWaitTime: 120 };

async function refused(code, name, input) {
  await assert.rejects(send(name, input), (error) => error.Code === code || error.name.startsWith(code));
}

const who = await new STSClient({ endpoint, region }).send(new GetCallerIdentityCommand({}));
assert.equal(who.Account, '123456789012');
const key = await new KMSClient({ endpoint, region }).send(new DescribeKeyCommand({ KeyId: 'alias/sandbox' }));
assert.equal(key.KeyMetadata.KeyState, 'Enabled');
const stranger = new rds.RDSClient({
  endpoint, region, credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: 'wrong' },
});
await assert.rejects(stranger.send(new rds.DescribeDBInstancesCommand({})), { name: 'SignatureDoesNotMatch' });

const created = await send('CreateDBInstance', {
  DBInstanceIdentifier: 'shop', DBInstanceClass: 'db.t3.micro', Engine: 'mysql', AllocatedStorage: 20,
  MasterUsername: 'admin', MasterUserPassword: 'secretpw1', Tags: [{ Key: 'a', Value: 'b & <c>' }],
});
assert.equal(created.DBInstance.DBInstanceStatus, 'creating');
await rds.waitUntilDBInstanceAvailable(available, { DBInstanceIdentifier: 'shop' });
await send('CreateDBInstanceReadReplica', { DBInstanceIdentifier: 'copy', SourceDBInstanceIdentifier: 'shop' });
await rds.waitUntilDBInstanceAvailable(available, { DBInstanceIdentifier: 'copy' });
const { DBInstances: [shop] } = await send('DescribeDBInstances', { DBInstanceIdentifier: 'shop' });
assert.deepEqual(shop.ReadReplicaDBInstanceIdentifiers, ['copy']);
assert.deepEqual(shop.TagList, [{ Key: 'a', Value: 'b & <c>' }]);
assert.equal(shop.StorageEncrypted, false);
assert.ok(shop.InstanceCreateTime instanceof Date && shop.Endpoint.Port > 0);

await send('CreateDBSnapshot', { DBInstanceIdentifier: 'copy', DBSnapshotIdentifier: 'plain' });
await rds.waitUntilDBSnapshotAvailable(available, { DBSnapshotIdentifier: 'plain' });
await refused('DBSnapshotAlreadyExists', 'CreateDBSnapshot',
  { DBInstanceIdentifier: 'shop', DBSnapshotIdentifier: 'plain' });
await send('CopyDBSnapshot', {
  SourceDBSnapshotIdentifier: 'plain', TargetDBSnapshotIdentifier: 'sealed', KmsKeyId: 'alias/sandbox',
});
await rds.waitUntilDBSnapshotAvailable(available, { DBSnapshotIdentifier: 'sealed' });
const restored = await send('RestoreDBInstanceFromDBSnapshot',
  { DBInstanceIdentifier: 'target', DBSnapshotIdentifier: 'sealed', VpcSecurityGroupIds: ['sg-1', 'sg-2'] });
assert.equal(restored.DBInstance.KmsKeyId, key.KeyMetadata.Arn);
assert.deepEqual(restored.DBInstance.VpcSecurityGroups.map((group) => group.VpcSecurityGroupId), ['sg-1', 'sg-2']);
await rds.waitUntilDBInstanceAvailable(available, { DBInstanceIdentifier: 'target' });

await refused('InvalidParameterCombination', 'DeleteDBInstance', { DBInstanceIdentifier: 'target' });
await send('DeleteDBInstance', { DBInstanceIdentifier: 'target', SkipFinalSnapshot: true });
await rds.waitUntilDBInstanceDeleted(available, { DBInstanceIdentifier: 'target' });
await refused('DBInstanceNotFound', 'DescribeDBInstances', { DBInstanceIdentifier: 'target' });
await send('DeleteDBSnapshot', { DBSnapshotIdentifier: 'plain' });
let names = [];
for await (const page of rds.paginateDescribeDBSnapshots({ client, pageSize: 20 }, { SnapshotType: 'manual' }))
  names = names.concat(page.DBSnapshots.map((snapshot) => snapshot.DBSnapshotIdentifier));
assert.deepEqual(names, ['sealed']);
console.log('node: the walk is whole');
