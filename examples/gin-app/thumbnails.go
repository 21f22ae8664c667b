package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // decodes JPEG
	"image/png"
	"io"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
	"golang.org/x/image/draw"
)

const (
	maxWidth  = 4096
	maxPixels = 40_000_000 // of the photo and of the thumbnail; four bytes each, or more
)

// thumbnail scales the PNG or JPEG in the multipart field "image" to ?width= pixels
// and answers with a PNG. It is an ordinary Gin handler: nothing in it is about jobs.
func thumbnail(c *gin.Context) {
	width, err := strconv.Atoi(c.DefaultQuery("width", "128"))
	if err != nil || width < 1 || width > maxWidth {
		refuse(c, http.StatusBadRequest, fmt.Errorf("width must be a number from 1 to %d", maxWidth))
		return
	}
	upload, err := c.FormFile("image")
	if err != nil {
		refuse(c, http.StatusBadRequest, fmt.Errorf("send the picture as multipart field %q: %w", "image", err))
		return
	}
	file, err := upload.Open()
	if err != nil {
		refuse(c, http.StatusInternalServerError, err)
		return
	}
	defer file.Close()

	photo, err := decode(file, width)
	if err != nil {
		refuse(c, http.StatusUnprocessableEntity, err)
		return
	}
	var out bytes.Buffer
	if err := png.Encode(&out, scale(photo, width)); err != nil {
		refuse(c, http.StatusInternalServerError, err)
		return
	}
	c.Data(http.StatusOK, "image/png", out.Bytes())
}

func refuse(c *gin.Context, status int, err error) {
	c.JSON(status, gin.H{"error": err.Error()})
}

// decode reads a picture that can be scaled to width within bounds. It looks at
// the declared size first: a file of some kilobytes can unpack to gigabytes.
func decode(file io.ReadSeeker, width int) (image.Image, error) {
	declared, _, err := image.DecodeConfig(file)
	if err != nil {
		return nil, fmt.Errorf("the file is no PNG or JPEG: %w", err)
	}
	if declared.Width < 1 || declared.Height < 1 {
		return nil, errors.New("the picture is empty")
	}
	before := int64(declared.Width) * int64(declared.Height)
	after := int64(width) * scaledHeight(declared.Width, declared.Height, width)
	if before > maxPixels || after > maxPixels {
		return nil, fmt.Errorf("%d x %d pixels, scaled to a width of %d, are too many: at most %d before and after",
			declared.Width, declared.Height, width, maxPixels)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	photo, _, err := image.Decode(file)
	if err != nil {
		return nil, fmt.Errorf("the picture is damaged: %w", err)
	}
	return photo, nil
}

// scale returns the picture in the given width, its proportions kept.
func scale(photo image.Image, width int) image.Image {
	size := photo.Bounds().Size()
	small := image.NewNRGBA(image.Rect(0, 0, width, int(scaledHeight(size.X, size.Y, width))))
	scaler(size.X, width).Scale(small, small.Bounds(), photo, photo.Bounds(), draw.Src, nil)
	return small
}

// scaler chooses by the ratio. Far down, every pixel of the photo has to count, or
// edges turn jagged. Else four neighbours are enough, and take no memory.
func scaler(from, to int) draw.Scaler {
	if to <= from/2 {
		return draw.CatmullRom
	}
	return draw.ApproxBiLinear
}

// scaledHeight is the height that goes with the new width; at least one pixel.
func scaledHeight(width, height, newWidth int) int64 {
	return max(1, (int64(height)*int64(newWidth)+int64(width)/2)/int64(width))
}
