// How big an image is, as its file or block device tells: what libvirt answers for guests that are shut off, whose
// images no QEMU has open. Blocks for as long as the file system does.
#pragma once

#include <string>

#include "base/error.hpp"
#include "model/devices/disk.hpp"
#include "model/stats.hpp"

namespace vireo::host {

// A raw image is as big as its file; what the guest sees of another stands in its header. Error: VIR_ERR_SYSTEM_ERROR
// in libvirt's words for a file that cannot be opened or read.
Result<model::ImageSizes> image_sizes(const std::string& file, model::ImageFormat format);

}  // namespace vireo::host
