'use strict';
// A plugin of the deployer: `sls remove` also deletes the models, if `bucketRemoval` is Delete.
// Why: docs/decisions/0030-sls-remove-empties-buckets.md.
const BUCKET = 'ModelBucket';

class RemoveModels {
  constructor(serverless, options, { log, progress }) {
    this.serverless = serverless;
    this.log = log;
    this.progress = progress;
    this.provider = serverless.getProvider('aws');
    this.hooks = { 'before:remove:remove': () => this.remove() };
  }

  async remove() {
    const { Resources = {} } = this.serverless.service.resources || {};
    if (Resources[BUCKET]?.DeletionPolicy !== 'Delete') return;
    const bucket = await this.find();
    if (!bucket) return;
    const line = this.progress.create({ message: `Removing models from ${bucket}` });
    try {
      const removed = await this.empty(bucket, (count) =>
        line.update(`Removing models from ${bucket}: ${count} objects`)
      );
      if (removed) {
        this.log.notice(`Removed ${removed} objects from ${bucket}, including old versions`);
      }
    } finally {
      line.remove();
    }
  }

  // Return the bucket's name, or null if the stack or its bucket does not exist.
  async find() {
    try {
      const { StackResourceDetail: found } = await this.provider.request(
        'CloudFormation', 'describeStackResource',
        { StackName: this.provider.naming.getStackName(), LogicalResourceId: BUCKET }
      );
      return found.ResourceStatus === 'DELETE_COMPLETE' ? null : found.PhysicalResourceId;
    } catch (error) {
      if (error.providerError?.code === 'ValidationError') return null;
      throw error;
    }
  }

  // Delete all versions of all objects, a thousand at a time; return how many there were. Call
  // `report` with the number so far.
  async empty(bucket, report) {
    for (let removed = 0; ; ) {
      const page = await this.provider.request('S3', 'listObjectVersions', { Bucket: bucket });
      const found = [...(page.Versions || []), ...(page.DeleteMarkers || [])];
      if (!found.length) return removed;
      const Objects = found.map(({ Key, VersionId }) => ({ Key, VersionId }));
      const { Errors: [failure] = [] } = await this.provider.request(
        'S3', 'deleteObjects', { Bucket: bucket, Delete: { Objects, Quiet: true } }
      );
      if (failure) {
        throw new this.serverless.classes.Error(
          `${bucket}: ${failure.Key} could not be deleted: ${failure.Message || failure.Code}`,
          'MODEL_NOT_DELETED'
        );
      }
      removed += found.length;
      report(removed);
    }
  }
}

module.exports = RemoveModels;
